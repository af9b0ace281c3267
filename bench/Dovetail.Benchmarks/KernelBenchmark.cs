using System.Diagnostics;
using System.Runtime.InteropServices;
using Dovetail.Benchmarking.Layers;
using Dovetail.Core.Packing;
using Dovetail.Core.Patterns;
using Dovetail.Core.Workloads;
using Dovetail.Kernels;
using Dovetail.Kernels.Dispatch;

namespace Dovetail.Benchmarks;

/// <summary>
/// Every kernel of the registry that runs here, alone and on the calling thread, on every layer of a list: GFLOP/s on kept weights
/// (10th percentile of blocks that take turns). Without ONNX Runtime, so for comparing kernels with each other, not with dense.
///   kernels LIST.csv … [--pattern 1:16] … [--int8] [--values fp32|fp16|bf16] [--only TEXT]
/// </summary>
internal static class KernelBenchmark
{
    private const double BlockSeconds = 0.002;
    private const int Blocks = 40;

    public static int Run(string[] args, TextWriter output)
    {
        var lists = new List<string>();
        var patterns = new List<ComplementaryPattern>();
        (bool isInt8, DType values, string only) = (false, DType.Float32, "");
        for (int i = 0; i < args.Length; i++)
            switch (args[i])
            {
                case "--pattern" when i + 1 < args.Length: patterns.Add(ComplementaryPattern.Parse(args[++i])); break;
                case "--int8": isInt8 = true; break;
                case "--values" when i + 1 < args.Length:
                    values = args[++i] switch
                    {
                        "fp16" => DType.Float16,
                        "bf16" => DType.BFloat16,
                        _ => DType.Float32
                    }; break;
                case "--only" when i + 1 < args.Length: only = args[++i]; break;
                default: lists.Add(args[i]); break;
            }

        if (lists.Count == 0)
        {
            Console.Error.WriteLine("kernels expects at least one list of layers, e.g. bench/shapes/resnet50.csv.");
            return 2;
        }

        output.WriteLine($"command: dotnet run -c Release --project bench/Dovetail.Benchmarks -- kernels {string.Join(' ', args)}");
        output.WriteLine($".NET {Environment.Version}, {RuntimeInformation.RuntimeIdentifier}, 1 thread, batch 1; GFLOP/s on kept weights, "
            + "kernel by kernel");
        foreach (ComplementaryPattern pattern in patterns.Count > 0 ? patterns : [new ComplementaryPattern(1, 16)])
            foreach (LayerShape shape in lists.SelectMany(LayerShapeFile.Read)
                .Where(shape => LayerBenchmark.ReasonAgainst(shape, pattern) is null))
                output.WriteLine($"{pattern,-12} {shape.Workload.Name,-20} "
                    + $"{(isInt8 ? Int8(shape, pattern, only) : Float(shape, pattern, values, only))}");
        return 0;
    }

    private static string Float(LayerShape shape, ComplementaryPattern pattern, DType values, string only)
    {
        var weights = (PackedTensor<float>)new SyntheticLayer(shape, 1, seed: 1).Pack(pattern, DType.Float32);
        var layer = new Float32Specification(
            PackedCast.ToFloat32(PackedCast.To(weights, values)), new float[weights.Shape.Outputs], Activation.Relu);
        float[] input = new float[shape.ChannelsLastInput(1).Aggregate(1L, (a, b) => a * b)];
        var random = new Random(2);
        foreach (ref float x in input.AsSpan())
            x = (float)(random.NextDouble() * 2 - 1);
        return Measure(KernelRegistry.Float32, layer, weights.Layout, shape, input, only);
    }

    private static string Int8(LayerShape shape, ComplementaryPattern pattern, string only)
    {
        var weights = (PackedTensor<sbyte>)new SyntheticLayer(shape, 1, seed: 1).Pack(pattern, DType.Int8);
        var factors = new float[weights.Shape.Outputs];
        Array.Fill(factors, 1e-3f);
        var input = new byte[shape.ChannelsLastInput(1).Aggregate(1L, (a, b) => a * b)];
        new Random(2).NextBytes(input);
        return Measure(
            KernelRegistry.Quantized, new QuantizedSpecification(weights, null, 3, factors, 7), weights.Layout, shape, input, only);
    }

    private static string Measure<TSpecification, T>(
        IReadOnlyList<Kernel<TSpecification, T>> kernels, TSpecification layer, CellLayout layout, LayerShape shape, T[] input, string only)
        where T : unmanaged
    {
        ConvolutionGeometry geometry = shape.Workload.Convolution ?? PreparedLayer.RowsOf(shape.Workload.N);
        var output = new T[(long)shape.Workload.M * shape.Workload.N];
        List<PreparedLayer<T>> prepared = [.. kernels
            .Where(kernel => kernel.IsSupported && kernel.Accepts(layout) && !kernel.Name.StartsWith("walk", StringComparison.Ordinal)
                && kernel.Name.Contains(only, StringComparison.Ordinal))
            .Select(kernel => kernel.Prepare(layer))];
        int[] runs = [.. prepared.Select(kernel => (int)Math.Max(1, BlockSeconds / Math.Min(Seconds(kernel, 3), Seconds(kernel, 3))))];
        List<double>[] times = [.. prepared.Select(_ => new List<double>())];
        for (int block = 0; block < Blocks; block++)
            for (int i = 0; i < prepared.Count; i++)
                times[i].Add(Seconds(prepared[i], runs[i]));
        double operations = 2.0 * layout.ValueCount * shape.Workload.N;
        string line = string.Join(
            "  ", prepared.Select((kernel, i) => $"{kernel.KernelName} {operations / times[i].Order().ElementAt(Blocks / 10) / 1e9:0.0}"));
        prepared.ForEach(kernel => kernel.Dispose());
        return line;

        double Seconds(PreparedLayer<T> kernel, int count)
        {
            long start = Stopwatch.GetTimestamp();
            for (int i = 0; i < count; i++)
                kernel.Run(input, 1, geometry, output);
            return Stopwatch.GetElapsedTime(start).TotalSeconds / count;
        }
    }
}
