using Dovetail.Core.Operators;
using Dovetail.Onnx.Model;
using Dovetail.Onnx.Passes.Layout;

namespace Dovetail.Onnx.Passes.Unpack;

/// <summary>The NHWC pooling and depthwise operators in ONNX's own operators, between Transposes.</summary>
internal static class UnpackedWindow
{
    /// <summary>ONNX's name of one of these operators; null for any other node.</summary>
    public static string? DenseOperator(NodeProto node) => node.FindSchema() is { IsPacked: false } schema ? schema.Standard : null;

    public static List<NodeProto> Nodes(OnnxModel model, NodeProto node)
    {
        string op = DenseOperator(node)!;
        NodeProto before = ChannelsLastRegions.ToChannelsFirst(model, node.Inputs[0], model.UniqueName($"{node.Name}.x"));
        var dense = new NodeProto(op, node.Name, [before.Outputs[0]], [model.UniqueName($"{node.Name}.y")]);
        dense.Attributes.AddRange(node.Attributes.Where(a =>
            a.Name != OperatorAttributes.Activation.Name && a.Name != OperatorAttributes.ActivationMin.Name
                && a.Name != OperatorAttributes.ActivationMax.Name));
        // Older operator sets do not know the attribute.
        if (node.Is(OperatorSet.AveragePool) && node.Get(OperatorAttributes.Dilations).All(d => d == 1))
            dense.RemoveAttribute(OperatorAttributes.Dilations.Name);
        if (node.Is(OperatorSet.DepthwiseConv))
            AddFilter(model, node, dense);
        NodeProto after = node.Is(OperatorSet.GlobalAveragePool)
            ? new NodeProto(
                "Flatten", model.UniqueName($"{node.Name}.flatten"), [dense.Outputs[0]], [model.UniqueName($"{node.Name}.rows")])
            : ChannelsLastRegions.ToChannelsLast(model, dense.Outputs[0]);
        List<NodeProto> nodes = [before, dense, after];
        if (node.Is(OperatorSet.DepthwiseConv))
            nodes.AddRange(UnpackedActivation.Nodes(model, node, after.Outputs[0]));
        nodes[^1].Outputs[0] = node.Outputs[0];
        return nodes;
    }

    private static void AddFilter(OnnxModel model, NodeProto node, NodeProto dense)
    {
        (Core.Patterns.WeightShape shape, float[] moved) = Layers.DepthwiseWeights.Read(model, node);
        long channels = shape.Outputs, height = shape.Dimensions[2], width = shape.Dimensions[3];
        dense.Inputs.Add(
            model.AddInitializer(
                TensorData.Create<float>(model.UniqueName($"{node.Name}.weight"), [channels, 1, height, width], moved)).Name);
        if (node.HasInput(InputNames.Bias))
            dense.Inputs.Add(node.Input(InputNames.Bias));
        dense.With("group", channels);
    }
}
