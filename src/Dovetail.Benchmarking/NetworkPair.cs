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
    /// <param name="sizes">Of dimensions that the networks leave open, by name: those that the layers are measured with.</param>
    /// <exception cref="BenchmarkException">The dense network has no layer of a packed layer's name.</exception>
    public NetworkPair(OnnxModel packed, OnnxModel? dense = null, IReadOnlyDictionary<string, long>? sizes = null)
    {
        ArgumentNullException.ThrowIfNull(packed);
        (Packed, Dense) = (packed, dense ?? UnpackingPass.Unpack(packed));
        Sizes = sizes ?? new Dictionary<string, long>();
        (SizedPacked, SizedDense) = (Sized(Packed), Sized(Dense));
        SizedDense.NameNodes();
        Layers = PackedModelReader.Read(SizedPacked);
        PackedLayers = [.. Layers.Layers.Where(layer => !layer.Weights.Pattern.IsDense)];
        if (PackedLayers.FirstOrDefault(layer => SizedDense.FindNodeWithin(layer.Name) is null) is { } missing)
            throw new BenchmarkException(
                $"The dense model has no layer '{missing.Name}' to compare with; expected the network that was packed. "
                + $"It has {string.Join(", ", WeightLayers.Find(SizedDense).Select(other => other.Name))}.");
    }

    public OnnxModel Packed { get; }

    /// <summary>In standard operators.</summary>
    public OnnxModel Dense { get; }

    /// <summary>True where the dense network computes with integers.</summary>
    public bool DenseIsQuantized =>
        Dense.Nodes.Exists(node => node.OpType is "DequantizeLinear" or "QLinearConv" or "QLinearMatMul" or "MatMulInteger");

    /// <summary>The packed network's layers with weights, dense ones too.</summary>
    public PackedModel Layers { get; }

    /// <summary>Those that are packed, in order, those of graphs inside nodes too.</summary>
    public IReadOnlyList<PackedLayer> PackedLayers { get; }

    /// <summary>Of dimensions that the networks leave open, by name.</summary>
    public IReadOnlyDictionary<string, long> Sizes { get; }

    /// <summary>The networks with these sizes, which say what a layer reads; they run with open ones and are fed tensors of these sizes,
    /// since ONNX Runtime refuses some graphs with control flow once the sizes stand in the file.</summary>
    internal OnnxModel SizedPacked { get; }

    internal OnnxModel SizedDense { get; }

    private OnnxModel Sized(OnnxModel model) => Sizes.Count == 0 ? model.CloneSharingTensors() : GraphSlicer.WithDimensions(model, Sizes);
}
