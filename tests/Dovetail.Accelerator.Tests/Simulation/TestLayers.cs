using CsCheck;
using Dovetail.Core.Packing;
using Dovetail.Core.Patterns;
using Dovetail.Core.Workloads;

namespace Dovetail.Accelerator.Tests.Simulation;

/// <summary>Random int8 layers with activations.</summary>
internal static class TestLayers
{
    /// <summary>A layer whose pattern is at most <paramref name="mostLanes"/> wide.</summary>
    public static Gen<(PackedLayer Layer, byte[] Activations)> Layer(int mostLanes) =>
        from pattern in Pattern(mostLanes)
        from workload in Workload
        from seed in Gen.Int
        select Fill(workload, pattern, seed);

    public static readonly Gen<LayerWorkload> Workload = Gen.OneOf(Product(), Convolution());

    private static Gen<ComplementaryPattern> Pattern(int mostLanes) =>
        from lanes in Gen.Int[1, mostLanes]
        from keep in Gen.Int[1, Math.Min(4, lanes)]
        from share in Gen.Int[1, 3]
        from strided in Gen.Bool
        select lanes == 1
            ? ComplementaryPattern.Dense
            : new ComplementaryPattern(keep, lanes, CellAxis.Input, strided ? Arrangement.Strided : Arrangement.Contiguous, share);

    private static Gen<LayerWorkload> Product() =>
        from outputs in Gen.Int[1, 20]
        from tokens in Gen.Int[1, 12]
        from inputs in Gen.Int[1, 40]
        select new LayerWorkload("gemm", "Gemm", outputs, tokens, inputs);

    private static Gen<LayerWorkload> Convolution() =>
        from groups in Gen.Int[1, 3]
        from outputs in Gen.Int[1, 9]
        from channels in Gen.Int[1, 9]
        from height in Gen.Int[3, 7]
        from width in Gen.Int[3, 7]
        from kernel in Gen.Select(Gen.Int[1, 3], Gen.Int[1, 3])
        from stride in Gen.Select(Gen.Int[1, 2], Gen.Int[1, 2])
        from pads in Gen.Select(Gen.Int[0, 2], Gen.Int[0, 2], Gen.Int[0, 2], Gen.Int[0, 2])
        let geometry = new ConvolutionGeometry(
            height, width, kernel.Item1, kernel.Item2, stride.Item1, stride.Item2,
            pads.Item1, pads.Item2, pads.Item3, pads.Item4,
            kernel.Item1 == 2 ? 2 : 1, kernel.Item2 == 2 ? 2 : 1, groups)
        select new LayerWorkload("conv", "Conv", outputs * groups, geometry.OutputPixels, geometry.Taps * channels, geometry);

    public static (PackedLayer Layer, byte[] Activations) Fill(LayerWorkload workload, ComplementaryPattern pattern, int seed)
    {
        var random = new Random(seed);
        int groups = workload.Convolution?.Groups ?? 1, taps = workload.Convolution?.Taps ?? 1;
        WeightShape shape = workload.Convolution is { } geometry
            ? new WeightShape([workload.M, workload.K / taps, geometry.KernelHeight, geometry.KernelWidth], groups)
            : WeightShape.Matrix(workload.M, workload.K);
        var layout = new CellLayout(pattern, shape);
        var scores = new float[shape.Count];
        var weights = new sbyte[shape.Count];
        for (int i = 0; i < weights.Length; i++)
        {
            scores[i] = random.NextSingle();
            weights[i] = (sbyte)random.Next(-128, 128);
        }

        bool[] mask = Projection.Project(scores, layout);
        for (int i = 0; i < weights.Length; i++)
            if (!mask[i])
                weights[i] = 0;
        var scales = new float[workload.M];
        var bias = new int[workload.M];
        for (int m = 0; m < scales.Length; m++)
            (scales[m], bias[m]) = (0.001f + random.NextSingle(), random.Next(-1000, 1000));
        PackedTensor<sbyte> packed = Packer.Pack<sbyte>(weights, layout, mask, scales);
        int inputs = workload.Convolution is { } convolution
            ? convolution.InputHeight * convolution.InputWidth * shape.Channels * groups
            : workload.N * workload.K;
        var activations = new byte[inputs];
        random.NextBytes(activations);
        var quantization = new LayerQuantization(0.02f, (byte)random.Next(256), 1.5f, (byte)random.Next(256), bias);
        return (new PackedLayer(workload, packed, "in", "out", quantization), activations);
    }

    /// <summary>Σ (x − zero point)·w over the unpacked weights, by the definition of a convolution.</summary>
    public static int[] Accumulators(PackedLayer layer, byte[] activations)
    {
        LayerWorkload workload = layer.Workload;
        sbyte[] weights = Packer.Unpack((PackedTensor<sbyte>)layer.Weights);
        int zeroPoint = layer.Quantization!.InputZeroPoint, channels = layer.Weights.Shape.Channels;
        var result = new int[workload.N * workload.M];
        for (int p = 0; p < workload.N; p++)
            for (int m = 0; m < workload.M; m++)
            {
                int sum = 0;
                if (workload.Convolution is not { } g)
                {
                    for (int k = 0; k < workload.K; k++)
                        sum += (activations[p * workload.K + k] - zeroPoint) * weights[m * workload.K + k];
                }
                else
                {
                    int firstChannel = m / (workload.M / g.Groups) * channels;
                    for (int kh = 0; kh < g.KernelHeight; kh++)
                        for (int kw = 0; kw < g.KernelWidth; kw++)
                        {
                            int y = p / g.OutputWidth * g.StrideHeight - g.PadTop + kh * g.DilationHeight;
                            int x = p % g.OutputWidth * g.StrideWidth - g.PadLeft + kw * g.DilationWidth;
                            if (y < 0 || y >= g.InputHeight || x < 0 || x >= g.InputWidth)
                                continue;
                            for (int c = 0; c < channels; c++)
                                sum += (activations[(y * g.InputWidth + x) * channels * g.Groups + firstChannel + c] - zeroPoint)
                                    * weights[(m * g.Taps + kh * g.KernelWidth + kw) * channels + c];
                        }
                }

                result[p * workload.M + m] = sum;
            }

        return result;
    }
}
