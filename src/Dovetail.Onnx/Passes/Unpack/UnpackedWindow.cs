using Dovetail.Onnx.Layers;
using Dovetail.Onnx.Model;
using Dovetail.Onnx.Passes.Layout;

namespace Dovetail.Onnx.Passes.Unpack;

/// <summary>The NHWC pooling and depthwise operators in ONNX's own operators, between Transposes.</summary>
internal static class UnpackedWindow
{
    public static bool IsDepthwise(NodeProto node) => node.Domain == OnnxModel.DovetailDomain && node.OpType == "DepthwiseConvNhwc";

    /// <summary>ONNX's name of one of these operators; null for any other node.</summary>
    public static string? DenseOperator(NodeProto node) => node.Domain != OnnxModel.DovetailDomain ? null : node.OpType switch
    {
        "MaxPoolNhwc" or "MaxPoolNhwcU8" => "MaxPool",
        "AveragePoolNhwc" => "AveragePool",
        "DepthwiseConvNhwc" => "Conv",
        "GlobalAveragePoolNhwc" => "GlobalAveragePool",
        _ => null,
    };

    public static List<NodeProto> Nodes(OnnxModel model, NodeProto node)
    {
        string op = DenseOperator(node)!;
        NodeProto before = ChannelsLastRegions.ToChannelsFirst(model, node.Inputs[0], model.UniqueName($"{node.Name}.x"));
        var dense = new NodeProto(op, node.Name, [before.Outputs[0]], [model.UniqueName($"{node.Name}.y")]);
        dense.Attributes.AddRange(node.Attributes.Where(a => !a.Name.StartsWith(PackedWeights.ActivationAttribute, StringComparison.Ordinal)));
        // Older operator sets do not know the attribute.
        if (op == "AveragePool" && dense.GetInt32s("dilations", 1, 1).All(d => d == 1))
            dense.RemoveAttribute("dilations");
        if (IsDepthwise(node))
            AddFilter(model, node, dense);
        NodeProto after = op == "GlobalAveragePool"
            ? new NodeProto("Flatten", model.UniqueName($"{node.Name}.flatten"), [dense.Outputs[0]], [model.UniqueName($"{node.Name}.rows")])
            : ChannelsLastRegions.ToChannelsLast(model, dense.Outputs[0]);
        List<NodeProto> nodes = [before, dense, after];
        if (IsDepthwise(node))
            nodes.AddRange(UnpackedActivation.Nodes(model, node, after.Outputs[0]));
        nodes[^1].Outputs[0] = node.Outputs[0];
        return nodes;
    }

    private static void AddFilter(OnnxModel model, NodeProto node, NodeProto dense)
    {
        TensorProto filter = model.Constant(node.Input(1), node);
        if (filter.Dims is not [var height, var width, var channels])
            throw new OnnxException($"{node}: filter {filter} does not fit, expected [kh, kw, C].");
        float[] values = filter.ToFloats(), moved = new float[values.Length];
        for (long tap = 0, at = 0; tap < height * width; tap++)
            for (long c = 0; c < channels; c++, at++)
                moved[c * height * width + tap] = values[at];
        dense.Inputs.Add(model.AddInitializer(TensorData.Create<float>(model.UniqueName($"{node.Name}.weight"), [channels, 1, height, width], moved)).Name);
        if (node.HasInput(2))
            dense.Inputs.Add(node.Inputs[2]);
        dense.With("group", channels);
    }
}
