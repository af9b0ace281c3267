using Dovetail.Core.Operators;
using Dovetail.Core.Packing;
using Dovetail.Core.Patterns;
using Dovetail.Kernels;
using Dovetail.Kernels.Reference;
using Dovetail.Onnx.Layers;
using Dovetail.Onnx.Model;
using Dovetail.Onnx.Passes.Pack;
using Dovetail.Onnx.Passes.Quantize;
using Dovetail.Onnx.Zoo;
using Dovetail.Tests.Kernels;

namespace Dovetail.Runtime.Tests;

/// <summary>Whole networks of the zoo, packed, against the same sparse network in plain ONNX Runtime.</summary>
public sealed class NetworkTests
{
    private static readonly long[] Image = [1, 28, 28];

    [Theory]
    [InlineData("fashion-cnn", "1:16")]
    [InlineData("fashion-cnn", "2:32")]
    [InlineData("fashion-cnn", "1:8/out")]
    [InlineData("fashion-cnn", "1:4@strided")]
    [InlineData("mlp", "1:16")]
    public void Packed_network_equals_the_sparse_one(string name, string pattern)
    {
        OnnxModel sparse = Sparse(name, pattern, seed: 11);
        PackingResult packed = PackingPass.Pack(sparse, ComplementaryPattern.Parse(pattern));
        Assert.Contains(packed.Layers, layer => layer.Pattern is not null);
        using var plain = DovetailSession.Create(sparse.ToBytes(), new DovetailSessionOptions(1));
        foreach (int threads in new[] { 1, 2 })
        {
            using var ours = DovetailSession.Create(packed.Model.ToBytes(), new DovetailSessionOptions(threads));
            foreach (int batch in new[] { 1, 5 })
            {
                float[] images = Images(batch, seed: batch);
                float[] expected = plain.Run(images, [batch, .. Image]), actual = ours.Run(images, [batch, .. Image]);
                float largest = expected.Max(MathF.Abs);
                for (int i = 0; i < expected.Length; i++)
                    Assert.True(Math.Abs(expected[i] - actual[i]) <= 1e-4f * largest, $"{name} {pattern}, {threads} threads, logit {i}: "
                        + $"{actual[i]}, expected {expected[i]} ± {1e-4f * largest}.");
            }
        }
    }

    [Theory]
    [InlineData("resnet18", 64, 0, 1)]
    [InlineData("resnet50", 32, 0, 1)]
    [InlineData("mobilenet-v2", 64, 0, 1)]
    [InlineData("resnet20", 32, 0, 1)]
    [InlineData("vit-s", 48, 2, 0)]
    [InlineData("gpt2-small", 0, 1, 0)]
    public void Large_networks_equal_the_sparse_ones_with_one_transpose(string name, int imageSize, int depth, int transposes)
    {
        var options = new ZooOptions { ImageSize = imageSize == 0 ? null : imageSize, Depth = depth == 0 ? null : depth };
        OnnxModel sparse = Sparse(ZooModels.Create(name, 5, options), "1:16", seed: 5);
        OnnxModel packed = PackingPass.Pack(sparse, ComplementaryPattern.Parse("1:16")).Model;
        if (transposes > 0)
        {
            Assert.Equal(transposes, packed.Nodes.Count(node => node.Is("Transpose")));
            Assert.DoesNotContain(
                packed.Nodes, node => node.Is("BatchNormalization") || node.Is("Add") || node.Is("Flatten") || node.Is("Reshape"));
            Assert.All(packed.Nodes.SkipWhile(node => !node.Is("Transpose")).Skip(1), node =>
                Assert.True(node.Domain == OperatorSet.Domain || node.Is("Gemm"), node.ToString()));
        }

        using var plain = DovetailSession.Create(sparse.ToBytes(), new DovetailSessionOptions(1));
        using var ours = DovetailSession.Create(packed.ToBytes(), new DovetailSessionOptions(2));
        foreach (int batch in new[] { 1, 3 })
        {
            long[] shape = name == "gpt2-small" ? [batch, 9, 768] : [batch, 3, imageSize, imageSize];
            float[] x = RandomLayer.Floats((int)shape.Aggregate((a, b) => a * b), new Random(batch));
            float[] expected = plain.Run(x, shape), actual = ours.Run(x, shape);
            float largest = expected.Max(MathF.Abs);
            for (int i = 0; i < expected.Length; i++)
                Assert.True(Math.Abs(expected[i] - actual[i]) <= 1e-4f * largest, $"{name}, batch {batch}, [{i}]: {actual[i]}, expected "
                    + $"{expected[i]} ± {1e-4f * largest}.");
        }
    }

    /// <summary>
    /// Each packed int8 layer, on the input it really had: equal to the scalar reference, and equal to what plain ONNX
    /// Runtime computes for the same layer of the sparse QDQ network, byte for byte.
    /// </summary>
    [Theory]
    [InlineData("1:16")]
    [InlineData("4:64")]
    public void Every_quantized_layer_is_exact(string pattern)
    {
        OnnxModel sparse = Sparse("fashion-cnn", pattern, seed: 12);
        IReadOnlyList<string> tensors = QuantizationPass.TensorsToCalibrate(sparse);
        var ranges = Calibration.Ranges(GraphSlicer.WithOutputs(sparse, tensors).ToBytes(), tensors, Images(40, 3), Image, 16, threads: 1);
        OnnxModel quantized = QuantizationPass.Quantize(sparse, ranges);
        OnnxModel packed = PackingPass.Pack(quantized, ComplementaryPattern.Parse(pattern)).Model;
        PackedLayer[] ours = [.. PackedModelReader.Read(packed).Layers.Where(layer => !layer.Weights.Pattern.IsDense)];
        Dictionary<string, PackedLayer> theirs = PackedModelReader.Read(quantized).Layers.ToDictionary(layer => layer.Name);
        Assert.True(ours.Length >= 4, $"Only {ours.Length} layers were packed.");

        float[] image = Images(1, seed: 77);
        var packedTensors = Capture(packed, ours.SelectMany(layer => new[] { layer.InputName, layer.OutputName }), image);
        var plainTensors = Capture(
            quantized, ours.SelectMany(layer => new[] { theirs[layer.Name].InputName, theirs[layer.Name].OutputName }), image);
        foreach (PackedLayer layer in ours)
        {
            LayerQuantization q = layer.Quantization!;
            var weights = (PackedTensor<sbyte>)layer.Weights;
            CapturedBytes input = packedTensors[layer.InputName], output = packedTensors[layer.OutputName];
            float[] weightScales = theirs[layer.Name].Weights.Scales!;
            int[] accumulators = QuantizedReference.Accumulate(
                weights, input.Values, 1, layer.Workload.Convolution ?? PreparedLayer.RowsOf(layer.Workload.N), q.InputZeroPoint, q.Bias);
            byte[] expected = QuantizedReference.Requantize(
                accumulators, QuantizedSpecification.ComputeFactors(q.InputScale, weightScales, q.OutputScale), q.OutputZeroPoint);
            Assert.Equal(expected, output.Values);
            Assert.Equal(NchwToNhwc(plainTensors[theirs[layer.Name].InputName]), input.Values);
            Assert.Equal(NchwToNhwc(plainTensors[theirs[layer.Name].OutputName]), output.Values);
        }
    }

    private static Dictionary<string, CapturedBytes> Capture(OnnxModel model, IEnumerable<string> names, float[] image)
    {
        string[] wanted = [.. names.Distinct()];
        return ActivationCapture.Capture(GraphSlicer.WithOutputs(model, wanted).ToBytes(), wanted, image, [1, .. Image])
            .ToDictionary(pair => pair.Key, pair => Assert.IsType<CapturedBytes>(pair.Value));
    }

    private static byte[] NchwToNhwc(CapturedBytes tensor)
    {
        if (tensor.Dimensions is not [1, var channels, var height, var width])
            return tensor.Values;
        var result = new byte[tensor.Values.Length];
        for (long c = 0, at = 0; c < channels; c++)
            for (long p = 0; p < height * width; p++, at++)
                result[p * channels + c] = tensor.Values[at];
        return result;
    }

    private static float[] Images(int count, int seed) =>
        Array.ConvertAll(RandomLayer.Floats(count * 28 * 28, new Random(seed)), MathF.Abs);

    /// <summary>A network as after training: batch norms that are not trivial, weights that satisfy the pattern where it fits.</summary>
    private static OnnxModel Sparse(string name, string pattern, int seed) => Sparse(ZooModels.Create(name, seed), pattern, seed);

    private static OnnxModel Sparse(OnnxModel model, string pattern, int seed)
    {
        var random = new Random(seed);
        foreach (TensorProto tensor in model.Graph.Initializers.Where(t => t.Dims.Count == 1 && t.DataType == OnnxType.Float))
        {
            bool positive = tensor.Name.EndsWith("_var", StringComparison.Ordinal)
                || tensor.Name.EndsWith("norm.weight", StringComparison.Ordinal);
            tensor.Write<float>(Array.ConvertAll(RandomLayer.Floats((int)tensor.Dims[0], random), x => positive ? 1 + x / 2 : x / 3));
        }

        return model.ProjectOnto(ComplementaryPattern.Parse(pattern));
    }
}
