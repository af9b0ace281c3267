using Dovetail.Core.Operators;
using Dovetail.Core.Packing;
using Dovetail.Core.Workloads;
using Dovetail.Kernels;
using Dovetail.Onnx.Layers;
using Dovetail.Onnx.Model;
using Dovetail.Onnx.Passes.Normalize;

namespace Dovetail.Benchmarking;

/// <summary>One layer to compare, as two single-layer models (GraphSlicer.SingleLayer).</summary>
/// <param name="Operands">What a packed floating-point layer multiplies.</param>
internal sealed record BenchmarkLayer(
    LayerWorkload Workload, PackedTensor Weights, FloatOperands Operands, byte[] DenseModel, byte[] PackedModel)
{
    /// <summary>The packed layers of a network, each beside the dense one of its name, one at a time.</summary>
    public static IEnumerable<BenchmarkLayer> Of(NetworkPair pair)
    {
        OnnxModel folded = pair.SizedDense.Clone();
        BatchNormFolding.Fold(folded);
        foreach (PackedLayer layer in pair.PackedLayers)
        {
            NodeProto node = pair.SizedPacked.FindNodeWithin(layer.Name)!.Value.Node;
            bool bfloat16 = node.Get(OperatorAttributes.Operands) == OperandNames.BFloat16;
            yield return new BenchmarkLayer(
                layer.Workload, layer.Weights, bfloat16 ? FloatOperands.BFloat16 : FloatOperands.Float32,
                GraphSlicer.SingleLayer(folded, layer.Name).ToBytes(), GraphSlicer.SingleLayer(pair.SizedPacked, layer.Name).ToBytes());
        }
    }
}
