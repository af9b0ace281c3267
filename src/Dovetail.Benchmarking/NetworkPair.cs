using Dovetail.Core.Packing;
using Dovetail.Onnx.Layers;
using Dovetail.Onnx.Model;
using Dovetail.Onnx.Passes.Unpack;

namespace Dovetail.Benchmarking;

/// <summary>The two networks that a benchmark compares: one function, or one shape of it.</summary>
public sealed class NetworkPair
{
    /// <param name="packed">With operators of ai.dovetail.</param>
    /// <param name="dense">Its layers have the packed ones' names; null: the packed network in standard operators, zeros included.</param>
    /// <exception cref="BenchmarkException">The dense network has no layer of a packed layer's name.</exception>
    public NetworkPair(OnnxModel packed, OnnxModel? dense = null)
    {
        ArgumentNullException.ThrowIfNull(packed);
        (Packed, Dense) = (packed, dense ?? UnpackingPass.Unpack(packed));
        Layers = PackedModelReader.Read(packed);
        OnnxModel named = Dense.Clone();
        named.NameNodes();
        if (PackedLayers.FirstOrDefault(layer => named.FindNode(layer.Name) is null) is { } missing)
            throw new BenchmarkException(
                $"The dense model has no layer '{missing.Name}' to compare with; expected the network that was packed. "
                + $"It has {string.Join(", ", WeightLayers.Find(named).Select(other => other.Name))}.");
    }

    public OnnxModel Packed { get; }

    /// <summary>In standard operators.</summary>
    public OnnxModel Dense { get; }

    /// <summary>True where the dense network computes with integers.</summary>
    public bool DenseIsQuantized =>
        Dense.Nodes.Exists(node => node.OpType is "DequantizeLinear" or "QLinearConv" or "QLinearMatMul" or "MatMulInteger");

    /// <summary>The packed network's layers with weights, dense ones too.</summary>
    public PackedModel Layers { get; }

    /// <summary>Those that are packed, in order.</summary>
    public IEnumerable<PackedLayer> PackedLayers =>
        Layers.Layers.Where(layer => !layer.Weights.Pattern.IsDense && Packed.FindNode(layer.Name) is not null);
}
