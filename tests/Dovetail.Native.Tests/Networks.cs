using Dovetail.Core.Patterns;
using Dovetail.Onnx.Layers;
using Dovetail.Onnx.Model;
using Dovetail.Onnx.Passes.Pack;
using Dovetail.Onnx.Passes.Quantize;
using Dovetail.Onnx.Zoo;
using Dovetail.Runtime;

namespace Dovetail.Native.Tests;

/// <summary>Networks of the zoo with random weights on a pattern, packed: "image" [N, 1, 28, 28] to "logits" [N, 10].</summary>
internal static class Networks
{
    private static readonly long[] Image = [1, 28, 28];

    public static byte[] Float32(string pattern, int seed) => Pack(Sparse(pattern, seed), pattern);

    public static byte[] BFloat16(string pattern, int seed) => Pack(Sparse(pattern, seed), pattern, new PackingOptions
    {
        BFloat16Operands = true,
    });

    public static byte[] Int8(string pattern, int seed)
    {
        OnnxModel sparse = Sparse(pattern, seed);
        IReadOnlyList<string> tensors = QuantizationPass.TensorsToCalibrate(sparse);
        var ranges = Calibration.Ranges(
            GraphSlicer.WithOutputs(sparse, tensors).ToBytes(), tensors, Images(16, seed), Image, 16, threads: 1);
        return Pack(QuantizationPass.Quantize(sparse, ranges), pattern);
    }

    public static float[] Images(int count, int seed)
    {
        var random = new Random(seed);
        var pixels = new float[count * 28 * 28];
        for (int i = 0; i < pixels.Length; i++)
            pixels[i] = (float)random.NextDouble();
        return pixels;
    }

    private static byte[] Pack(OnnxModel model, string pattern, PackingOptions? options = null)
    {
        PackingResult result = PackingPass.Pack(model, ComplementaryPattern.Parse(pattern), options);
        Assert.True(result.Layers.Count(layer => layer.Pattern is not null) >= 5);
        return result.Model.ToBytes();
    }

    private static OnnxModel Sparse(string pattern, int seed) =>
        ZooModels.Create("fashion-cnn", seed).ProjectOnto(ComplementaryPattern.Parse(pattern));
}
