using Dovetail.Core.Packing;
using Dovetail.Core.Patterns;
using Dovetail.Onnx.Model;

namespace Dovetail.Onnx.Layers;

/// <summary>Packed weights as the initializers and attributes of an ai.dovetail node (docs/operators.md).</summary>
public static class PackedWeights
{
    public const string PatternAttribute = "pattern";
    public const string ShapeAttribute = "weight_shape";
    public const string ActivationAttribute = "activation";
    public const string OperandsAttribute = "operands";

    /// <summary>True for one of the four operators with packed weights.</summary>
    public static bool IsPacked(NodeProto node)
    {
        ArgumentNullException.ThrowIfNull(node);
        return node.Domain == OnnxModel.DovetailDomain
            && node.OpType is "PackedConv" or "PackedGemm" or "PackedQLinearConv" or "PackedQLinearGemm";
    }

    /// <summary>True for PackedQLinearConv and PackedQLinearGemm.</summary>
    public static bool IsQuantized(NodeProto node) => IsPacked(node) && node.OpType.StartsWith("PackedQLinear", StringComparison.Ordinal);

    /// <summary>True for PackedConv and PackedQLinearConv.</summary>
    public static bool IsConvolution(NodeProto node) => IsPacked(node) && node.OpType.EndsWith("Conv", StringComparison.Ordinal);

    /// <summary>Reads the weights of a node back, with every size and owner checked.</summary>
    /// <exception cref="OnnxException">The node is not packed, or its initializers do not fit its attributes.</exception>
    public static PackedTensor Read(OnnxModel model, NodeProto node)
    {
        ArgumentNullException.ThrowIfNull(model);
        if (!IsPacked(node))
            throw new OnnxException($"{node} is no operator with packed weights.");
        var pattern = ComplementaryPattern.Parse(node.GetString(PatternAttribute));
        int[] dims = [.. node.GetInts(ShapeAttribute).Select(d => ToInt(node, ShapeAttribute, d))];
        var layout = new CellLayout(pattern, new WeightShape(dims, ToInt(node, "group", node.GetInt("group", 1))));
        int first = ValuesInput(node);
        TensorProto values = model.Constant(node.Input(first), node), owners = model.Constant(node.Input(first + 1), node);
        int rowBytes = OwnerCodec.RowBytes(layout.OwnerColumns, pattern.IndexBits);
        CheckShape(node, values, layout.ValueRows, layout.ValueColumns);
        CheckShape(node, owners, layout.OwnerRows, rowBytes);
        byte[] decoded = OwnerCodec.Decode(owners.Read<byte>(), layout.OwnerRows, layout.OwnerColumns, pattern.IndexBits);
        if (IsQuantized(node))
            return new PackedTensor<sbyte>(layout, values.Read<sbyte>(), decoded, model.Constant(node.Input(5), node).ToFloats());
        return values.DataType switch
        {
            OnnxType.Float16 => new PackedTensor<Half>(layout, values.Read<Half>(), decoded),
            OnnxType.BFloat16 => new PackedTensor<BFloat16>(layout, values.Read<BFloat16>(), decoded),
            _ => new PackedTensor<float>(layout, values.Read<float>(), decoded),
        };
    }

    /// <summary>Adds values and owners as initializers "LAYER.weight_packed" and "LAYER.weight_index", and the attributes.</summary>
    internal static (string Values, string Owners) Write(OnnxModel model, NodeProto node, PackedTensor packed)
    {
        CellLayout layout = packed.Layout;
        node.With(PatternAttribute, packed.Pattern.ToString())
            .With(ShapeAttribute, packed.Shape.Dimensions.Select(d => (long)d));
        string values = model.UniqueName($"{node.Name}.weight_packed"), owners = model.UniqueName($"{node.Name}.weight_index");
        long[] valueDims = [layout.ValueRows, layout.ValueColumns];
        model.AddInitializer(packed switch
        {
            PackedTensor<float> floats => TensorData.Create<float>(values, valueDims, floats.Values),
            PackedTensor<Half> halves => TensorData.Create<Half>(values, valueDims, halves.Values),
            PackedTensor<BFloat16> shorts => TensorData.Create<BFloat16>(values, valueDims, shorts.Values),
            PackedTensor<sbyte> bytes => TensorData.Create<sbyte>(values, valueDims, bytes.Values),
            _ => throw new OnnxException($"{node}: packed values of type {packed.DType} have no ONNX operator; expected float, float16, bfloat16 or int8."),
        });
        long[] ownerDims = [layout.OwnerRows, OwnerCodec.RowBytes(layout.OwnerColumns, packed.Pattern.IndexBits)];
        model.AddInitializer(TensorData.Create<byte>(owners, ownerDims, packed.EncodeOwners()));
        return (values, owners);
    }

    /// <summary>The index of the input "values"; "owners" follows it.</summary>
    internal static int ValuesInput(NodeProto node) => IsQuantized(node) ? 3 : 1;

    private static int ToInt(NodeProto node, string attribute, long value) => value == (int)value
        ? (int)value
        : throw new OnnxException($"{node}: {attribute} holds {value}, expected a 32-bit number.");

    private static void CheckShape(NodeProto node, TensorProto tensor, int rows, int columns)
    {
        if (tensor.Dims is not [var r, var c] || r != rows || c != columns)
            throw new OnnxException($"{node}: initializer {tensor} does not fit pattern and weight_shape, expected [{rows}, {columns}].");
    }
}
