using Dovetail.Core.Operators;
using Dovetail.Core.Packing;
using Dovetail.Core.Patterns;
using Dovetail.Onnx.Model;

namespace Dovetail.Onnx.Layers;

/// <summary>Packed weights as the initializers and attributes of an ai.dovetail node (docs/operators.md).</summary>
public static class PackedWeights
{
    /// <summary>True for one of the four operators with packed weights.</summary>
    public static bool IsPacked(NodeProto node) => node.FindSchema()?.IsPacked == true;

    /// <summary>The nodes with packed weights, in graph order, each with the graph that holds it: the model's own, or one inside a
    /// node.</summary>
    public static IEnumerable<(OnnxModel Graph, NodeProto Node)> Nodes(OnnxModel model)
    {
        ArgumentNullException.ThrowIfNull(model);
        return model.WithBodies().SelectMany(graph => graph.Nodes.Where(IsPacked).Select(node => (graph, node)));
    }

    /// <summary>True for PackedQLinearConv and PackedQLinearGemm.</summary>
    public static bool IsQuantized(NodeProto node) => node.FindSchema()?.IsQuantized == true;

    /// <summary>True for PackedConv and PackedQLinearConv.</summary>
    public static bool IsConvolution(NodeProto node) => node.FindSchema()?.IsConvolution == true;

    /// <summary>Reads the weights of a node back, with every size and owner checked.</summary>
    /// <exception cref="OnnxException">The node is not packed, or its initializers do not fit its attributes.</exception>
    public static PackedTensor Read(OnnxModel model, NodeProto node)
    {
        ArgumentNullException.ThrowIfNull(model);
        if (!IsPacked(node))
            throw new OnnxException($"{node} is no operator with packed weights.");
        CellLayout layout = Layout(node);
        TensorProto values = model.Constant(node.Input(InputNames.Values), node), owners = Owners(model, node);
        int rowBytes = OwnerCodec.RowBytes(layout.OwnerColumns, layout.Pattern.IndexBits);
        CheckShape(node, values, layout.ValueRows, layout.ValueColumns);
        CheckShape(node, owners, layout.OwnerRows, rowBytes);
        byte[] decoded = OwnerCodec.Decode(owners.Read<byte>(), layout.OwnerRows, layout.OwnerColumns, layout.Pattern.IndexBits);
        if (IsQuantized(node))
            return new PackedTensor<sbyte>(
                layout, values.Read<sbyte>(), decoded, model.Constant(node.Input(InputNames.WeightScales), node).ToFloats());
        return values.DataType switch
        {
            OnnxType.Float16 => new PackedTensor<Half>(layout, values.Read<Half>(), decoded),
            OnnxType.BFloat16 => new PackedTensor<BFloat16>(layout, values.Read<BFloat16>(), decoded),
            _ => new PackedTensor<float>(layout, values.Read<float>(), decoded),
        };
    }

    /// <summary>The pattern on the shape, as the node's attributes say.</summary>
    internal static CellLayout Layout(NodeProto node) => new(
        ComplementaryPattern.Parse(node.Get(OperatorAttributes.Pattern)),
        new WeightShape(node.Get(OperatorAttributes.WeightShape), node.Get(OperatorAttributes.Group)));

    internal static TensorProto Owners(OnnxModel model, NodeProto node) => model.Constant(node.Input(InputNames.Owners), node);

    /// <summary>Adds values and owners as initializers "LAYER.weight_packed" and "LAYER.weight_index", and the attributes.</summary>
    internal static void Write(OnnxModel model, NodeProto node, PackedTensor packed)
    {
        CellLayout layout = packed.Layout;
        node.With(OperatorAttributes.Pattern, packed.Pattern.ToString())
            .With(OperatorAttributes.WeightShape, packed.Shape.Dimensions);
        string values = model.UniqueName($"{node.Name}.weight_packed"), owners = model.UniqueName($"{node.Name}.weight_index");
        long[] valueDims = [layout.ValueRows, layout.ValueColumns];
        model.AddInitializer(packed switch
        {
            PackedTensor<float> floats => TensorData.Create<float>(values, valueDims, floats.Values),
            PackedTensor<Half> halves => TensorData.Create<Half>(values, valueDims, halves.Values),
            PackedTensor<BFloat16> shorts => TensorData.Create<BFloat16>(values, valueDims, shorts.Values),
            PackedTensor<sbyte> bytes => TensorData.Create<sbyte>(values, valueDims, bytes.Values),
            _ => throw new OnnxException($"{node}: packed values of type {packed.DType} have no ONNX operator; expected float, float16, "
                + "bfloat16 or int8."),
        });
        long[] ownerDims = [layout.OwnerRows, OwnerCodec.RowBytes(layout.OwnerColumns, packed.Pattern.IndexBits)];
        model.AddInitializer(TensorData.Create<byte>(owners, ownerDims, packed.EncodeOwners()));
        node.SetInput(InputNames.Values, values).SetInput(InputNames.Owners, owners);
    }

    /// <summary>Gives a node the initializers of another one, whose weights it has.</summary>
    internal static void Share(NodeProto node, NodeProto same, PackedTensor packed) =>
        node.With(OperatorAttributes.Pattern, packed.Pattern.ToString())
            .With(OperatorAttributes.WeightShape, packed.Shape.Dimensions)
            .SetInput(InputNames.Values, same.Input(InputNames.Values)).SetInput(InputNames.Owners, same.Input(InputNames.Owners));

    private static void CheckShape(NodeProto node, TensorProto tensor, int rows, int columns)
    {
        if (tensor.Dims is not [var r, var c] || r != rows || c != columns)
            throw new OnnxException($"{node}: initializer {tensor} does not fit pattern and weight_shape, expected [{rows}, {columns}].");
    }
}
