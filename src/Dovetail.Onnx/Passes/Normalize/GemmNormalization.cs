using Dovetail.Onnx.Model;
using Dovetail.Onnx.Shapes;

namespace Dovetail.Onnx.Passes.Normalize;

/// <summary>
/// Brings fully connected layers to one form, so that later passes see only W·x + b.
/// 1. Weights behind a Transpose of a constant are transposed once.
/// 2. Gemm's alpha goes into the weights, beta into the bias; with beta = 0 there is none.
/// 3. A MatMul with constant weights on a matrix, and an Add of a constant row behind it, become a Gemm.
/// </summary>
internal static class GemmNormalization
{
    public static void Apply(OnnxModel model)
    {
        foreach (NodeProto node in model.Nodes.Where(n => n.Is("Gemm") || n.Is("MatMul")).ToList())
            TransposeWeights(model, node);
        foreach (NodeProto node in model.Nodes.Where(n => n.Is("Gemm")).ToList())
        {
            if (node.GetFloat("beta", 1) == 0 && MayLackBias(model))
                DropBias(node);
            Scale(model, node, 1, "alpha");
            Scale(model, node, 2, "beta");
        }

        IReadOnlyDictionary<string, TensorInfo> shapes = ShapeInference.Infer(model);
        foreach (NodeProto node in model.Nodes.Where(n => n.Is("MatMul")).ToList())
        {
            if (model.FindInitializer(node.Inputs[1]) is { Dims.Count: 2, DataType: OnnxType.Float } && shapes[node.Inputs[0]].Rank == 2
                && (TakeBias(model, node, shapes) || MayLackBias(model)))
                node.OpType = "Gemm";
        }
    }

    private static void TransposeWeights(OnnxModel model, NodeProto node)
    {
        if (model.FindProducer(node.Inputs[1]) is not { } transpose || !transpose.Is("Transpose")
            || model.FindConstant(transpose.Inputs[0]) is not { DataType: OnnxType.Float, Dims: [var rows, var columns] } tensor
            || transpose.FindInts("perm") is not (null or [1, 0]))
            return;
        float[] old = tensor.ToFloats(), turned = new float[old.Length];
        for (long row = 0; row < rows; row++)
            for (long column = 0; column < columns; column++)
                turned[column * rows + row] = old[row * columns + column];
        node.Inputs[1] = model.UniqueName($"{tensor.Name}.transposed");
        model.AddInitializer(TensorData.Create<float>(node.Inputs[1], [columns, rows], turned));
        model.RemoveDeadNodes();
    }

    /// <summary>Before version 11 a Gemm has three inputs.</summary>
    internal static bool MayLackBias(OnnxModel model) => model.OpsetVersion() >= 11;

    private static void DropBias(NodeProto node)
    {
        node.RemoveAttribute("beta");
        if (node.Inputs.Count > 2)
            node.Inputs.RemoveAt(2);
    }

    private static void Scale(OnnxModel model, NodeProto node, int input, string attribute)
    {
        float factor = node.GetFloat(attribute, 1);
        if (factor == 1 || (node.HasInput(input) && model.FindConstant(node.Inputs[input]) is not { DataType: OnnxType.Float }))
            return;
        node.RemoveAttribute(attribute);
        if (!node.HasInput(input))
            return;
        TensorProto old = model.FindConstant(node.Inputs[input])!;
        node.Inputs[input] = model.UniqueName($"{old.Name}.scaled");
        model.AddInitializer(
            TensorData.Create<float>(node.Inputs[input], [.. old.Dims], Array.ConvertAll(old.ToFloats(), v => v * factor)));
        model.RemoveUnusedInitializers();
    }

    private static bool TakeBias(OnnxModel model, NodeProto node, IReadOnlyDictionary<string, TensorInfo> shapes)
    {
        if (model.SingleConsumer(node.Outputs[0]) is not { } add || !add.Is("Add"))
            return false;
        string other = add.Inputs[0] == node.Outputs[0] ? add.Inputs[1] : add.Inputs[0];
        if (model.FindInitializer(other) is not { } bias || bias.ElementCount() != shapes[node.Outputs[0]].Shape.ElementAtOrDefault(1).Value
            || bias.Dims.Count is not (1 or 2) || bias.Dims[^1] == 1)
            return false;
        node.Inputs.Add(other);
        node.Outputs[0] = add.Outputs[0];
        model.Nodes.Remove(add);
        return true;
    }
}
