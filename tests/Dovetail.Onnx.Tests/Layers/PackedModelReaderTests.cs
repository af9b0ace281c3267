using Dovetail.Core.Packing;
using Dovetail.Core.Patterns;
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
