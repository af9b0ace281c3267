using Dovetail.Core.Packing;
using Dovetail.Core.Patterns;
using Dovetail.Core.Workloads;
using Dovetail.Onnx.Layers;
using Dovetail.Onnx.Model;
using Dovetail.Onnx.Passes.Normalize;
using Dovetail.Onnx.Passes.Pack;

namespace Dovetail.Onnx.Tests.Layers;

public sealed class PackedModelReaderTests
{
    [Theory]
    [InlineData("fashion-cnn")]
    [InlineData("mlp")]
    public void A_packed_model_has_the_layers_of_the_sparse_one(string network)
    {
        OnnxModel sparse = Graphs.Sparse(network, 3, "2:16"), packed = PackingPass.Pack(sparse, ComplementaryPattern.Parse("2:16")).Model;
        BatchNormFolding.Fold(sparse);
        PackedModel dense = PackedModelReader.Read(sparse), read = PackedModelReader.Read(packed);
        Assert.Equal(network, read.Name);
        Assert.Equal(dense.Layers.Select(l => l.Workload), read.Layers.Select(l => l.Workload));
        foreach ((PackedLayer a, PackedLayer b) in dense.Layers.Zip(read.Layers))
        {
            Assert.Equal("1:1", a.Weights.Pattern.ToString());
            Assert.False(a.ChannelsLast);
            Assert.Equal(Packer.Unpack((PackedTensor<float>)a.Weights), Packer.Unpack((PackedTensor<float>)b.Weights));
            Assert.Null(b.Quantization);
        }

        PackedLayer second = read.Layers[1];
        Assert.Equal("2:16", second.Weights.Pattern.ToString());
        Assert.Equal(network == "fashion-cnn", second.ChannelsLast);
        Assert.Equal(packed.FindNode(second.Name)!.Inputs[0], second.InputName);
        Assert.Equal(packed.FindNode(second.Name)!.Outputs[0], second.OutputName);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Transposed_and_three_dimensional_convolutions_have_all_their_products_and_weights(int groups)
    {
        var random = new Random(5);
        var graph = new GraphProto { Name = "rare" };
        graph.Inputs.Add(ValueInfoProto.Tensor("x", OnnxType.Float, 1, 16, 5, 7));
        graph.Inputs.Add(ValueInfoProto.Tensor("v", OnnxType.Float, 1, 16, 4, 5, 6));
        AddWeights("t", 16, 6, 3, 2);
        AddWeights("w", 8, 16 / groups, 3, 2, 1);
        graph.Nodes.Add(new NodeProto("ConvTranspose", "turned", ["x", "t"], ["y"]).With("group", groups).With("strides", [2L, 2]));
        graph.Nodes.Add(new NodeProto("Conv", "solid", ["v", "w"], ["z"]).With("group", groups));
        graph.Outputs.Add(ValueInfoProto.Tensor("y", OnnxType.Float, 1, 6 * groups, 11, 14));
        graph.Outputs.Add(ValueInfoProto.Tensor("z", OnnxType.Float, 1, 8, 2, 4, 6));
        var model = new OnnxModel(
            new ModelProto { IrVersion = 8, Graph = graph, OpsetImports = { new OperatorSetIdProto { Version = 17 } } });
        IReadOnlyList<PackedLayer> layers = PackedModelReader.Read(model).Layers;
        // every pixel of the input meets each of its 16 channels' 6·3·2 weights; each output of z is a sum of 16/groups·3·2·1 products
        Assert.Equal([5 * 7 * 16 * 6 * 3 * 2, 8 * 2 * 4 * 6 * 16 / groups * 3 * 2], layers.Select(layer => layer.Workload.DenseMacs));
        foreach (PackedLayer layer in layers)
        {
            WeightShape shape = layer.Weights.Shape;
            ConvolutionGeometry geometry = layer.Workload.Convolution!;
            Assert.Equal((layer.Workload.M, layer.Workload.K, groups), (shape.Outputs, shape.Inputs, geometry.Groups));
            Assert.Equal((layer.Workload.N, geometry.Taps), (geometry.OutputPixels, shape.Taps));
        }

        // row 3 · 2 · m + tap of the transposed one is output m at that tap: w[c, m, tap] over its group's channels c
        float[] turned = Packer.Unpack((PackedTensor<float>)layers[0].Weights), t = model.FindInitializer("t")!.ToFloats();
        int channels = 16 / groups;
        for (int m = 0; m < 6 * groups; m++)
            for (int tap = 0; tap < 6; tap++)
                for (int c = 0; c < channels; c++)
                    Assert.Equal(
                        t[((m / 6 * channels + c) * 6 + m % 6) * 6 + tap], turned[(m * 6 + tap) * channels + c]);

        void AddWeights(string name, params long[] dims) => graph.Initializers.Add(TensorData.Create<float>(
            name, dims, [.. Enumerable.Range(0, (int)dims.Aggregate((a, b) => a * b)).Select(_ => random.NextSingle() - 0.5f)]));
    }

    [Fact]
    public void Initializers_that_do_not_fit_are_refused()
    {
        OnnxModel packed = PackingPass.Pack(Graphs.Sparse("mlp", 3, "1:16"), ComplementaryPattern.Parse("1:16")).Model;
        packed.FindInitializer("fc1.weight_packed")!.Dims[0] = 511;
        Assert.Contains("'fc1'", Assert.Throws<OnnxException>(() => PackedModelReader.Read(packed)).Message);
        packed.FindInitializer("fc1.weight_packed")!.Dims[0] = 512;
        packed.FindNode("fc2")!.With("pattern", "1:32");
        Assert.Contains("'fc2'", Assert.Throws<OnnxException>(() => PackedModelReader.Read(packed)).Message);
        packed.FindNode("fc2")!.With("pattern", "nonsense");
        Assert.Throws<PatternException>(() => PackedModelReader.Read(packed));
    }
}
