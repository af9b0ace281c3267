using Dovetail.Onnx.Model;
using Dovetail.Onnx.Passes.Normalize;
using Dovetail.Onnx.Shapes;

namespace Dovetail.Onnx.Passes.Pack;

/// <summary>
/// Takes from floating-point Gemms with constant weights what PackedGemm does not have.
/// 1. transA becomes a Transpose before.
/// 2. A third input that is no constant row of one number an output becomes an Add behind (where beta is 1).
/// </summary>
internal static class GemmDecomposition
{
    public static void Apply(OnnxModel model)
    {
        model.NameNodes();
        IReadOnlyDictionary<string, TensorInfo> shapes = ShapeInference.Infer(model);
        foreach (NodeProto node in model.Nodes.Where(n => n.Is("Gemm") && model.FindConstant(n.Inputs[1]) is not null).ToList())
        {
            if (node.GetInt("transA", 0) != 0)
                TakeTranspose(model, node);
            if (node.HasInput(2) && node.GetFloat("beta", 1) == 1 && !IsRow(model, node, shapes))
                TakeAddend(model, node);
        }
    }

    private static void TakeTranspose(OnnxModel model, NodeProto node)
    {
        node.RemoveAttribute("transA");
        string turned = model.UniqueName($"{node.Name}.a_transposed");
        model.Nodes.Insert(model.Nodes.IndexOf(node), new NodeProto("Transpose", turned, [node.Inputs[0]], [turned]).With("perm", [1, 0]));
        node.Inputs[0] = turned;
    }

    private static bool IsRow(OnnxModel model, NodeProto node, IReadOnlyDictionary<string, TensorInfo> shapes) =>
        model.FindConstant(node.Inputs[2]) is { } constant && constant.ElementCount() is var count
        && (count == 1 || (shapes[node.Outputs[0]] is { Rank: 2 } output && count == output.Shape[1].Value && constant.Dims[^1] == count));

    private static void TakeAddend(OnnxModel model, NodeProto node)
    {
        string product = model.UniqueName($"{node.Name}.product");
        var add = new NodeProto("Add", model.UniqueName($"{node.Name}.addend"), [product, node.Inputs[2]], [node.Outputs[0]]);
        if (GemmNormalization.MayLackBias(model))
            node.Inputs.RemoveAt(2);
        else
        {
            node.Inputs[2] = model.UniqueName($"{node.Name}.no_bias");
            model.AddInitializer(TensorData.Create<float>(node.Inputs[2], [1], [0f]));
        }

        node.Outputs[0] = product;
        model.Nodes.Insert(model.Nodes.IndexOf(node) + 1, add);
    }
}
