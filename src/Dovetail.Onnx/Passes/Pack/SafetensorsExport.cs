using Dovetail.Core.Operators;
using Dovetail.Core.Packing;
using Dovetail.Core.Safetensors;
using Dovetail.Onnx.Layers;
using Dovetail.Onnx.Model;
using Dovetail.Onnx.Passes.Permute;

namespace Dovetail.Onnx.Passes.Pack;

/// <summary>
/// The weights of a packed model as safetensors (docs/format.md): each packed layer under its node's name,
/// every other parameter (dense weights, biases, scales) under its initializer's name. Integer constants
/// that only shape the graph (int64) stay out; orders of channels, X.perm, do not.
/// </summary>
public static class SafetensorsExport
{
    /// <summary>Writes the file at once.</summary>
    /// <param name="packed">A model with at least one operator of ai.dovetail.</param>
    /// <exception cref="OnnxException">Nothing in the model is packed.</exception>
    public static void Write(OnnxModel packed, string path)
    {
        ArgumentNullException.ThrowIfNull(packed);
        var weights = new Dictionary<string, PackedTensor>();
        var written = new HashSet<string>();
        foreach ((OnnxModel graph, NodeProto node) in PackedWeights.Nodes(packed))
        {
            weights[node.Name] = PackedWeights.Read(graph, node);
            written.UnionWith([node.Input(InputNames.Values), node.Input(InputNames.Owners), node.Input(InputNames.WeightScales)]);
        }

        if (weights.Count == 0)
            throw new OnnxException($"The model '{packed.Graph.Name}' has no packed layer; pack it first.");
        var others = packed.Graph.Initializers
            .Where(t => !written.Contains(t.Name)
                && (t.DataType is not (OnnxType.Int64 or OnnxType.String) || ChannelOrder.IsOrder(packed, t)))
            .Select(t => SafetensorsEntry.Of<byte>(t.Name, TypeOf(t), [.. t.Dims], t.ReadBytes()));
        var metadata = new Dictionary<string, string> { ["model"] = packed.Graph.Name };
        PackedSafetensors.Write(path, weights, others, metadata);
    }

    private static SafetensorsDType TypeOf(TensorProto tensor) => tensor.DataType switch
    {
        OnnxType.Float => SafetensorsDType.F32,
        OnnxType.Double => SafetensorsDType.F64,
        OnnxType.Float16 => SafetensorsDType.F16,
        OnnxType.BFloat16 => SafetensorsDType.BF16,
        OnnxType.Int8 => SafetensorsDType.I8,
        OnnxType.UInt8 => SafetensorsDType.U8,
        OnnxType.Int16 => SafetensorsDType.I16,
        OnnxType.UInt16 => SafetensorsDType.U16,
        OnnxType.Int32 => SafetensorsDType.I32,
        OnnxType.Int64 => SafetensorsDType.I64,
        OnnxType.UInt32 => SafetensorsDType.U32,
        OnnxType.UInt64 => SafetensorsDType.U64,
        OnnxType.Bool => SafetensorsDType.Bool,
        _ => throw new OnnxException($"Tensor {tensor} has no safetensors type."),
    };
}
