using Dovetail.Core.Patterns;
using Dovetail.Onnx.Layers;
using Dovetail.Onnx.Model;
using Dovetail.Onnx.Passes.Pack;
using Dovetail.Onnx.Passes.Quantize;
using Dovetail.Onnx.Pruning;
using Dovetail.Onnx.Zoo;
using Dovetail.Runtime;

namespace Dovetail.Benchmarks;

/// <summary>A packed network of the zoo and the logits that it must give for each image of a fixed set.</summary>
/// <param name="Name">Network, pattern and type.</param>
/// <param name="Packed">The ONNX file.</param>
/// <param name="Logits">[images, 10], from the sparse network in plain ONNX Runtime.</param>
/// <param name="Tolerance">Absolute; a step of the last quantization for int8.</param>
internal sealed record SoakModel(string Name, byte[] Packed, float[] Logits, float Tolerance)
{
    public const int Classes = 10, ImagePixels = 28 * 28;

    private static readonly long[] Image = [1, 28, 28];

    public static SoakModel Float32(string network, string pattern, float[] images, int seed)
    {
        OnnxModel sparse = Sparse(network, pattern, seed);
        float[] logits = Reference(sparse, images);
        return new SoakModel($"{network} {pattern} fp32", Pack(sparse, pattern), logits, 1e-4f * logits.Max(MathF.Abs));
    }

    public static SoakModel Int8(string network, string pattern, float[] images, int seed)
    {
        OnnxModel sparse = Sparse(network, pattern, seed);
        IReadOnlyList<string> tensors = QuantizationPass.TensorsToCalibrate(sparse);
        var ranges = Calibration.Ranges(GraphSlicer.WithOutputs(sparse, tensors).ToBytes(), tensors, images, Image, 16, threads: 1);
        OnnxModel quantized = QuantizationPass.Quantize(sparse, ranges);
        float[] logits = Reference(quantized, images);
        float step = (logits.Max() - logits.Min()) / 255;
        return new SoakModel($"{network} {pattern} int8", Pack(quantized, pattern), logits, 2.01f * step);
    }

    private static float[] Reference(OnnxModel model, float[] images)
    {
        using var session = DovetailSession.Create(model.ToBytes(), new DovetailSessionOptions(1, ExactIntegers: true));
        return Evaluation.Logits(session, images, Image, batchSize: 1);
    }

    private static byte[] Pack(OnnxModel model, string pattern) =>
        PackingPass.Pack(model, ComplementaryPattern.Parse(pattern)).Model.ToBytes();

    private static OnnxModel Sparse(string network, string pattern, int seed) =>
        PruningPass.Prune(ZooModels.Create(network, seed), ComplementaryPattern.Parse(pattern), new PruningOptions { Head = true }).Model;
}
