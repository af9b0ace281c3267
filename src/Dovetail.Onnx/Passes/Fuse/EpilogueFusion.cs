using Dovetail.Core.Operators;
using Dovetail.Onnx.Layers;
using Dovetail.Onnx.Model;
using Dovetail.Onnx.Shapes;

namespace Dovetail.Onnx.Passes.Fuse;

/// <summary>
/// Fuses what follows a floating-point packed operator into it, where it is the operator's only reader:
/// first a constant bias row, then a residual Add of a tensor of equal shape, then an activation.
/// </summary>
internal static class EpilogueFusion
{
    public static void Apply(OnnxModel model)
    {
        IReadOnlyDictionary<string, TensorInfo> shapes = ShapeInference.Infer(model);
        foreach (NodeProto node in model.Nodes.Where(
            n => (PackedWeights.IsPacked(n) && !PackedWeights.IsQuantized(n)) || n.Is(OperatorSet.DepthwiseConv)).ToList())
        {
            if (PackedActivation.Of(node) != PackedActivation.None)
                continue;
            while (PackedWeights.IsPacked(node) && model.SingleConsumer(node.Outputs[0]) is { } next && FuseAdd(model, node, next, shapes))
                Replace(model, node, [next]);
            if (model.SingleConsumer(node.Outputs[0]) is { } clamp && PackedActivation.FindClamp(model, clamp) is { } bounds)
            {
                bounds.WriteTo(node);
                Replace(model, node, [clamp]);
            }
            else if (ActivationRecognition.Find(model, node.Outputs[0]) is var (activation, nodes))
            {
                activation.WriteTo(node);
                Replace(model, node, nodes);
            }
        }

        model.RemoveDeadNodes();
    }

    // The fused operator stands where its last part stood, so that the residual is there already.
    private static void Replace(OnnxModel model, NodeProto node, List<NodeProto> fused)
    {
        node.Outputs[0] = fused[^1].Outputs[0];
        model.Nodes.Remove(node);
        model.Nodes[model.Nodes.IndexOf(fused[^1])] = node;
        model.Nodes.RemoveAll(fused.Contains);
    }

    private static bool FuseAdd(OnnxModel model, NodeProto node, NodeProto next, IReadOnlyDictionary<string, TensorInfo> shapes)
    {
        if (!next.Is("Add") || node.HasInput(InputNames.Residual))
            return false;
        string other = next.Inputs[0] == node.Outputs[0] ? next.Inputs[1] : next.Inputs[0];
        TensorInfo output = shapes[node.Outputs[0]];
        if (!output.HasShape)
            return false;
        if (model.FindInitializer(other) is { } row)
        {
            if (node.HasInput(InputNames.Bias) || row.DataType != OnnxType.Float || row.Dims is not [var length]
                || length != output.Shape[^1].Value)
                return false;
            node.SetInput(InputNames.Bias, other);
            return true;
        }

        if (!shapes[other].Equals(output) || output.Shape.Contains(Dim.Unknown))
            return false;
        node.SetInput(InputNames.Residual, other);
        return true;
    }
}
