using System.Globalization;
using System.Runtime.InteropServices;
using Dovetail.Benchmarking;
using Dovetail.Benchmarking.Costs;
using Dovetail.Benchmarking.Layers;
using Dovetail.Core.Packing;
using Dovetail.Core.Patterns;
using Dovetail.Onnx.Passes.Choose;

namespace Dovetail.Benchmarks;

/// <summary>
/// How well the cost model of `dovetail pack` predicts: a calibration here and now, then every layer of the lists measured dense
/// and packed in turn (10th percentiles). A decision is wrong where packing was predicted to gain what it does not, or the reverse;
/// its price is how much slower the chosen side is.
///   cost-model LIST.csv … [--pattern 1:16] … [--int8] [--batch 1] [--threads 1]
/// </summary>
internal static class CostModelBenchmark
{
    private const double Seconds = 0.1;
    private static readonly double s_leastGain = new FasterLayers(null!).LeastGain;

    public static int Run(string[] args, TextWriter output)
    {
        var lists = new List<string>();
        var patterns = new List<ComplementaryPattern>();
        int batch = 1, threads = 1;
        DType type = DType.Float32;
        for (int i = 0; i < args.Length; i++)
            switch (args[i])
            {
                case "--pattern": patterns.Add(ComplementaryPattern.Parse(args[++i])); break;
                case "--batch": batch = int.Parse(args[++i], CultureInfo.InvariantCulture); break;
                case "--threads": threads = int.Parse(args[++i], CultureInfo.InvariantCulture); break;
                case "--int8": type = DType.Int8; break;
                default: lists.Add(args[i]); break;
            }

        if (lists.Count == 0)
        {
            Console.Error.WriteLine("cost-model expects at least one list of layers, e.g. bench/shapes/resnet50.csv.");
            return 2;
        }

        output.WriteLine($"command: dotnet run -c Release --project bench/Dovetail.Benchmarks -- cost-model {string.Join(' ', args)}");
        output.WriteLine($".NET {Environment.Version}, {RuntimeInformation.RuntimeIdentifier}, {threads} thread(s), batch {batch}, {type}, "
            + $"{s_leastGain:0%} gain asked for");
        var model = new CostModel((op, pattern, dtype) => Calibrate(op, pattern, dtype, threads, output), batch);
        var timer = new LayerTimer(new BenchmarkOptions(threads, Seconds, batch));
        List<LayerShape> shapes = [.. lists.SelectMany(LayerShapeFile.Read)];
        foreach (ComplementaryPattern pattern in patterns.Count > 0 ? patterns : [new ComplementaryPattern(1, 16)])
            Compare(model, timer, [.. shapes.Where(shape => LayerBenchmark.ReasonAgainst(shape, pattern) is null)], pattern, type, output);
        return 0;
    }

    private static CostCalibration Calibrate(string op, ComplementaryPattern pattern, DType type, int threads, TextWriter output)
    {
        long start = System.Diagnostics.Stopwatch.GetTimestamp();
        CostCalibration found = CostCalibrator.Measure(CalibrationKey.For("here", op, pattern, type, threads));
        output.WriteLine($"{op} {pattern}, calibrated in {System.Diagnostics.Stopwatch.GetElapsedTime(start).TotalSeconds:0.0} s, "
            + $"{found.Key.Kernel}");
        Print("dense", found.Dense);
        Print("packed", found.Packed);
        return found;

        void Print(string side, SideCost cost) => output.WriteLine(
            $"  {side,-6} {cost.NodeMicroseconds:0.00} µs a node, {Rate(2e3, cost.MicrosecondsPerMegaproduct, "GFLOP/s")}, weights "
            + $"{Rate(1e3, cost.MicrosecondsPerWeightMegabyte, "GB/s")}, inputs {Rate(1e3, cost.MicrosecondsPerInputMegabyte, "GB/s")}, "
            + $"outputs {Rate(1e3, cost.MicrosecondsPerOutputMegabyte, "GB/s")}");

        // A constant that was fitted to zero: the measured layers took no longer for more of these.
        static string Rate(double unit, double microseconds, string name) =>
            microseconds > 0 ? $"{unit / microseconds:0.0} {name}" : "no limit seen";
    }

    private static void Compare(
        CostModel model, LayerTimer timer, IReadOnlyList<LayerShape> shapes, ComplementaryPattern pattern, DType type, TextWriter output)
    {
        bool quantized = type == DType.Int8;
        var lines = new List<string>();
        var errors = new List<(double Dense, double Packed)>();
        int wrong = 0;
        double best = 0, chosenTotal = 0;
        foreach (LayerShape shape in shapes)
        {
            (double dense, double packed) = timer.Measure(shape, pattern, type);
            double denseSaid = model.DenseMicroseconds(shape.Workload, shape.Weights, pattern, quantized),
                packedSaid = model.PackedMicroseconds(shape.Workload, shape.Weights, pattern, quantized);
            bool packs = packedSaid < denseSaid * (1 - s_leastGain), should = packed < dense * (1 - s_leastGain);
            double chosen = packs ? packed : dense, other = Math.Min(dense, packed);
            errors.Add((Math.Abs(Math.Log(denseSaid / dense)), Math.Abs(Math.Log(packedSaid / packed))));
            (best, chosenTotal) = (best + other, chosenTotal + chosen);
            wrong += packs == should ? 0 : 1;
            string verdict = packs == should ? "" : $"wrong, {chosen / other - 1:0%} slower";
            string line = $"{shape.Workload.Name,-20} {dense,9:0.0} {denseSaid,9:0.0} {Percent(denseSaid / dense),6} {packed,9:0.0} "
                + $"{packedSaid,9:0.0} {Percent(packedSaid / packed),6}  {(packs ? "packed" : "dense"),-6} {verdict}";
            lines.Add(line.TrimEnd());
        }

        output.WriteLine();
        output.WriteLine($"pattern {pattern}: predicted beside measured, µs");
        output.WriteLine($"{"layer",-20} {"dense",9} {"predicted",9} {"",6} {"packed",9} {"predicted",9} {"",6}  choice");
        lines.ForEach(output.WriteLine);
        output.WriteLine($"{shapes.Count} layers; typical error (geometric mean): dense {Math.Exp(errors.Average(e => e.Dense)) - 1:0%}, "
            + $"packed {Math.Exp(errors.Average(e => e.Packed)) - 1:0%}; largest: dense {Math.Exp(errors.Max(e => e.Dense)):0.0}×, packed "
            + $"{Math.Exp(errors.Max(e => e.Packed)):0.0}×");
        output.WriteLine($"{wrong} of {shapes.Count} decisions wrong; layers as chosen {chosenTotal:N0} µs, by the faster side each "
            + $"{best:N0} µs ({chosenTotal / best - 1:0.0%} more)");
    }

    private static string Percent(double ratio) => $"{Math.Round((ratio - 1) * 100):+0;-0;0}%";
}
