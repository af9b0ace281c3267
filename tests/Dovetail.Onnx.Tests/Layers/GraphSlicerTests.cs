using Dovetail.Core.Patterns;
using Dovetail.Onnx.Layers;
using Dovetail.Onnx.Model;
using Dovetail.Onnx.Passes.Pack;

namespace Dovetail.Onnx.Tests.Layers;

public sealed class GraphSlicerTests
{
    [Fact]
    public void More_outputs_do_not_change_the_network()
    {
        OnnxModel model = Graphs.Trained("fashion-cnn", 3);
        byte[] before = model.ToBytes();
        OnnxModel more = GraphSlicer.WithOutputs(model, ["block1.add.output", "stem.output", "logits", "stem.output"]);
        Assert.Equal(before, model.ToBytes());
        Assert.Equal(["logits", "block1.add.output", "stem.output"], more.Outputs.Select(o => o.Name));
        float[] images = Oracle.Images(1, 2);
        var outputs = Oracle.Run(more, images, [2, 1, 28, 28]);
        Assert.Equal(Oracle.Run(model, images, [2, 1, 28, 28])["logits"].Data, outputs["logits"].Data);
        Assert.Equal([2, 128, 4, 4], outputs["block1.add.output"].Shape);
        Assert.Contains("no tensor 'nowhere'", Assert.Throws<OnnxException>(() => GraphSlicer.WithOutputs(model, ["nowhere"])).Message);
    }

    [Fact]
    public void A_single_layer_computes_what_it_computes_in_the_network()
    {
        OnnxModel model = Graphs.Trained("fashion-cnn", 3);
        foreach (WeightLayer layer in WeightLayers.Find(model))
        {
            string input = layer.Node.Inputs[0], output = layer.Node.Outputs[0];
            OnnxModel slice = GraphSlicer.SingleLayer(model, layer.Name);
            Assert.Equal([layer.Op], slice.Nodes.Select(n => n.OpType));
            Assert.Equal(layer.Node.Inputs.Count - 1, slice.Graph.Initializers.Count);
            var whole = Oracle.Run(
                GraphSlicer.WithOutputs(model, new[] { input, output }.Where(t => t != "image")), Oracle.Images(1, 2), [2, 1, 28, 28]);
            (float[] x, int[] shape) = input == "image" ? (Oracle.Images(1, 2), [2, 1, 28, 28]) : whole[input];
            Assert.Equal(whole[output].Data, Oracle.Run(slice, x, shape)[output].Data);
        }
    }

    [Fact]
    public void A_packed_layer_keeps_its_residual_as_an_input()
    {
        OnnxModel packed = PackingPass.Pack(Graphs.Sparse("fashion-cnn", 3, "1:16"), ComplementaryPattern.Parse("1:16")).Model;
        OnnxModel slice = GraphSlicer.SingleLayer(packed, "block1.conv2");
        Assert.Equal(["PackedConv"], slice.Nodes.Select(n => n.OpType));
        Assert.Equal(2, slice.Inputs.Count);
        Assert.Equal(3, slice.Graph.Initializers.Count);
        Assert.Contains("no node 'nowhere'", Assert.Throws<OnnxException>(() => GraphSlicer.SingleLayer(packed, "nowhere")).Message);
    }
}
