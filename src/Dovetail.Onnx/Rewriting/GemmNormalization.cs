using Dovetail.Onnx.Model;
using Dovetail.Onnx.Model.Shapes;

namespace Dovetail.Onnx.Rewriting;

/// <summary>
/// Brings fully connected layers to one form, so that later passes see only W·x + b.
/// 1. Gemm's alpha goes into the weights, beta into the bias.
/// 2. A MatMul with constant weights on a matrix, and an Add of a constant row behind it, become a Gemm.
/// </summary>
internal static class GemmNormalization
{
    public static void Apply(OnnxModel model)
    {
        foreach (NodeProto node in model.Nodes.Where(n => n.Is("Gemm")).ToList())
        {
            Scale(model, node, 1, "alpha");
            Scale(model, node, 2, "beta");
        }

        IReadOnlyDictionary<string, TensorInfo> shapes = ShapeInference.Infer(model);
        foreach (NodeProto node in model.Nodes.Where(n => n.Is("MatMul")).ToList())
        {
            if (model.FindInitializer(node.Inputs[1]) is { Dims.Count: 2 } && shapes[node.Inputs[0]].Rank == 2)
            {
                node.OpType = "Gemm";
                TakeBias(model, node, shapes);
            }
        }
    }

    private static void Scale(OnnxModel model, NodeProto node, int input, string attribute)
    {
        float factor = node.GetFloat(attribute, 1);
        if (factor == 1 || (node.HasInput(input) && model.FindInitializer(node.Inputs[input]) is null))
            return;
        node.RemoveAttribute(attribute);
        if (!node.HasInput(input))
            return;
        TensorProto old = model.FindInitializer(node.Inputs[input])!;
        node.Inputs[input] = model.UniqueName($"{old.Name}.scaled");
        model.AddInitializer(TensorData.Create<float>(node.Inputs[input], [.. old.Dims], Array.ConvertAll(old.ToFloats(), v => v * factor)));
        model.RemoveUnusedInitializers();
    }

    private static void TakeBias(OnnxModel model, NodeProto node, IReadOnlyDictionary<string, TensorInfo> shapes)
    {
        if (model.SingleConsumer(node.Outputs[0]) is not { } add || !add.Is("Add"))
            return;
        string other = add.Inputs[0] == node.Outputs[0] ? add.Inputs[1] : add.Inputs[0];
        if (model.FindInitializer(other) is not { } bias || bias.ElementCount() != shapes[node.Outputs[0]].Shape[1].Value || bias.Dims.Count > 2 || bias.Dims[^1] == 1)
            return;
        node.Inputs.Add(other);
        node.Outputs[0] = add.Outputs[0];
        model.Nodes.Remove(add);
    }
}
