using Dovetail.Core.Packing;
using Dovetail.Core.Patterns;
using Dovetail.Onnx.Layers;
using Dovetail.Onnx.Model;
using Dovetail.Onnx.Passes.Normalize;
using Dovetail.Onnx.Passes.Pack;
using Dovetail.Onnx.Passes.Quantize;
using Dovetail.Onnx.Passes.Unpack;

namespace Dovetail.Onnx.Tests.Passes.Quantize;

public sealed class QuantizationPassTests
{
    private const int Batch = 4;

    [Theory]
    [InlineData("fashion-cnn")]
    [InlineData("mlp")]
    public void The_int8_network_computes_nearly_the_same(string network)
    {
        OnnxModel model = Graphs.Sparse(network, 3, "1:16"), quantized = Quantize(model);
        float[] images = Oracle.Images(8, Batch), want = Run(model, images)["logits"].Data;
        // 8 bits a tensor: a few hundredths of the largest logit. The baseline, logits without structure, is far off.
        Oracle.AssertClose(want, Run(quantized, images)["logits"].Data, 0.08f);
        Oracle.AssertClose(want, Run(quantized, images, optimize: true)["logits"].Data, 0.08f);
        Assert.ThrowsAny<Exception>(
            () => Oracle.AssertClose(want, Run(Quantize(Graphs.Sparse(network, 4, "1:16")), images)["logits"].Data, 0.08f));
    }

    [Fact]
    public void ONNX_Runtime_runs_every_layer_in_integers()
    {
        List<string> operators = Oracle.OptimizedOperators(Quantize(Graphs.Trained("fashion-cnn", 3)));
        Assert.Equal(5, operators.Count(o => o == "QLinearConv"));
        Assert.Contains("QGemm", operators);
        Assert.Contains("QLinearAdd", operators);
        Assert.DoesNotContain("Conv", operators);
        Assert.DoesNotContain("Relu", operators);
        Assert.DoesNotContain("Gemm", operators);
    }

    [Fact]
    public void The_tensors_to_calibrate_are_the_inputs_and_results_of_layers()
    {
        OnnxModel model = Graphs.Trained("fashion-cnn", 3);
        Assert.Equal(
            ["image", "stem.relu.output", "down1.relu.output", "down2.relu.output", "block1.conv1.relu.output", "block1.conv2.norm.output",
                "block1.relu.output", "pool.output", "logits"],
            QuantizationPass.TensorsToCalibrate(model));
        Assert.Equal(
            ["image", "fc1.relu.output", "fc2.relu.output", "logits"], QuantizationPass.TensorsToCalibrate(Graphs.Trained("mlp", 3)));
    }

    [Fact]
    public void Zeros_stay_zeros_and_scales_are_those_of_the_rows()
    {
        OnnxModel model = Graphs.Sparse("fashion-cnn", 3, "1:16");
        // A dead output: no weights at all, only a bias from its batch norm.
        WeightLayer down1 = WeightLayers.Find(model)[1];
        float[] weights = down1.GetWeights();
        weights.AsSpan(0, 576).Clear();
        down1.SetWeights(weights);
        OnnxModel quantized = Quantize(model);
        BatchNormFolding.Fold(model);
        foreach ((WeightLayer before, WeightLayer after) in WeightLayers.Find(model).Zip(WeightLayers.Find(quantized)))
        {
            Assert.True(after.IsQuantized);
            float[] floats = before.GetWeights(), scales = quantized.FindInitializer(before.WeightName + ".scale")!.ToFloats();
            sbyte[] bytes = after.GetInt8Weights();
            Assert.True(scales.All(s => s > 0 && float.IsFinite(s)));
            for (int i = 0; i < floats.Length; i++)
            {
                Assert.InRange(bytes[i], -127, 127);
                Assert.True(Math.Abs(floats[i] - bytes[i] * scales[i / before.Shape.Inputs]) <= 0.5001f * scales[i / before.Shape.Inputs]);
                Assert.False(floats[i] == 0 && bytes[i] != 0);
            }
        }

        float[] images = Oracle.Images(8, Batch);
        Oracle.AssertClose(Run(model, images)["logits"].Data, Run(quantized, images)["logits"].Data, 0.08f);
    }

    [Fact]
    public void Moves_share_the_range_of_their_input_and_late_relus_are_kept()
    {
        OnnxModel model = Graphs.Of(["N", 4, 6, 6], ["N", 5],
        [
            new("Conv", "c1", ["x", "w"], ["a"]),
            new("Relu", "r1", ["a"], ["b"]),
            new NodeProto("MaxPool", "p", ["b"], ["c"]).With("kernel_shape", [2L, 2]).With("strides", [2L, 2]),
            new("Conv", "c2", ["c", "w"], ["d"]),
            new("Clip", "r2", ["d", "zero", "six"], ["e"]),
            new("Flatten", "f", ["e"], ["g"]),
            new NodeProto("Gemm", "head", ["g", "h", "hb"], ["y"]).With("alpha", 0.5f).With("beta", 2f),
        ], [Graphs.Random("w", 1, 4, 4, 1, 1), Graphs.Random("h", 2, 36, 5), Graphs.Random("hb", 3, 1, 5), TensorData.Scalar("zero", 0f),
            TensorData.Scalar("six", 0.3f)]);
        Assert.Equal(["x", "b", "e", "y"], QuantizationPass.TensorsToCalibrate(model));
        float[] x = Oracle.Uniform(5, Batch * 144, -1, 1);
        int[] shape = [Batch, 4, 6, 6];
        OnnxModel quantized = QuantizationPass.Quantize(model, Calibrate(model, x, shape));
        Oracle.AssertClose(Oracle.Run(model, x, shape)["y"].Data, Oracle.Run(quantized, x, shape)["y"].Data, 0.03f);
        List<string> operators = Oracle.OptimizedOperators(quantized);
        Assert.Equal(2, operators.Count(o => o == "QLinearConv"));
        Assert.DoesNotContain("Clip", operators);
        Assert.Equal(2, quantized.Nodes.Count(n => n.Inputs.Contains("b.scale") && n.OpType == "QuantizeLinear"));
    }

    [Fact]
    public void Missing_and_impossible_ranges_are_refused()
    {
        OnnxModel model = Graphs.Trained("mlp", 3);
        var ranges = QuantizationPass.TensorsToCalibrate(model).ToDictionary(t => t, _ => (0f, 1f));
        ranges["image"] = (0, float.NaN);
        Assert.Contains("'image' is 0 to NaN", Assert.Throws<OnnxException>(() => QuantizationPass.Quantize(model, ranges)).Message);
        ranges.Remove("image");
        Assert.Contains(
            "no range for tensor 'image'", Assert.Throws<OnnxException>(() => QuantizationPass.Quantize(model, ranges)).Message);
        model.SetOpsetVersion("", 11);
        Assert.Contains("operator set 11", Assert.Throws<OnnxException>(() => QuantizationPass.Quantize(model, ranges)).Message);
    }

    [Theory]
    [InlineData("fashion-cnn", "1:16")]
    [InlineData("fashion-cnn", "4:64")]
    [InlineData("fashion-cnn", "1:8/out")]
    [InlineData("mlp", "1:16")]
    public void The_packed_int8_network_has_the_weights_of_the_QDQ_network_and_computes_the_same(string network, string pattern)
    {
        OnnxModel quantized = Quantize(Graphs.Sparse(network, 3, pattern));
        PackingResult result = PackingPass.Pack(quantized, ComplementaryPattern.Parse(pattern));
        Dictionary<string, WeightLayer> layers = WeightLayers.Find(quantized).ToDictionary(l => l.Name);
        int packed = 0;
        foreach (NodeProto node in result.Model.Nodes.Where(PackedWeights.IsQuantized))
        {
            Assert.Equal(layers[node.Name].GetInt8Weights(), Packer.Unpack((PackedTensor<sbyte>)PackedWeights.Read(result.Model, node)));
            packed++;
        }

        Assert.Equal(result.Layers.Count(l => l.Pattern is not null), packed);
        Assert.True(packed >= 2);
        Assert.InRange(result.Model.Nodes.Count(n => n.OpType == "Transpose"), 0, 1);
        float[] images = Oracle.Images(9, Batch);
        float[] Logits(OnnxModel model) => Run(model, images, optimize: true)["logits"].Data;
        Oracle.AssertClose(Logits(quantized), Logits(UnpackingPass.Unpack(result.Model)), 0.02f);
    }

    [Theory]
    [InlineData("fashion-cnn")]
    [InlineData("mlp")]
    public void A_scalar_loop_over_what_the_reader_gives_equals_ONNX_Runtime(string network)
    {
        OnnxModel packed = PackingPass.Pack(Quantize(Graphs.Sparse(network, 3, "1:16")), ComplementaryPattern.Parse("1:16")).Model;
        PackedModel read = PackedModelReader.Read(packed);
        Assert.All(read.Layers, l => Assert.NotNull(l.Quantization));
        Assert.Equal(WeightLayers.Find(Graphs.Trained(network, 3)).Select(l => l.Workload), read.Layers.Select(l => l.Workload));
        OnnxModel open = GraphSlicer.WithOutputs(
            UnpackingPass.Unpack(packed), read.Layers.SelectMany(l => new[] { l.InputName, l.OutputName }));
        Dictionary<string, (float[] Data, int[] Shape)> tensors = Oracle.Run(open, Oracle.Images(9, 1), [1, 1, 28, 28], optimize: true);
        foreach (PackedLayer layer in read.Layers)
        {
            bool packedLayer = !layer.Weights.Pattern.IsDense;
            Assert.Equal(packedLayer && layer.Workload.Convolution is not null, layer.ChannelsLast);
            byte[] x = Array.ConvertAll(tensors[layer.InputName].Data, v => (byte)v), y = ScalarLayer.Run(layer, x);
            Assert.Equal(y, Array.ConvertAll(tensors[layer.OutputName].Data, v => (byte)v));
            Assert.True(y.Distinct().Count() > 4);
        }
    }

    [Fact]
    public void A_single_int8_layer_runs_alone()
    {
        OnnxModel quantized = Quantize(Graphs.Sparse("fashion-cnn", 3, "1:16"));
        OnnxModel slice = GraphSlicer.SingleLayer(quantized, "block1.conv1");
        Assert.Equal("uint8", ((OnnxType)slice.Inputs[0].Type!.Tensor!.ElementType).ToString().ToLowerInvariant());
        Assert.Equal(OnnxType.UInt8, slice.Outputs[0].Type!.Tensor!.ElementType);
        Assert.Equal(["QLinearConv"], Oracle.OptimizedOperators(slice));
    }

    private static OnnxModel Quantize(OnnxModel model) =>
        QuantizationPass.Quantize(model, Calibrate(model, Oracle.Images(7, 16), [16, 1, 28, 28]));

    private static Dictionary<string, (float Min, float Max)> Calibrate(OnnxModel model, float[] input, int[] shape)
    {
        // The graph's input is one of them: an output like any other.
        IReadOnlyList<string> tensors = QuantizationPass.TensorsToCalibrate(model);
        var outputs = Oracle.Run(GraphSlicer.WithOutputs(model, tensors), input, shape);
        return tensors.ToDictionary(t => t, t => (outputs[t].Data.Min(), outputs[t].Data.Max()));
    }

    private static Dictionary<string, (float[] Data, int[] Shape)> Run(OnnxModel model, float[] images, bool optimize = false) =>
        Oracle.Run(model, images, [images.Length / 784, 1, 28, 28], optimize);
}
