using Dovetail.Core.Packing;
using Dovetail.Core.Patterns;
using Dovetail.Core.Workloads;

namespace Dovetail.Benchmarking;

/// <summary>One layer to compare, as two single-layer models (GraphSlicer.SingleLayer).</summary>
public sealed record BenchmarkLayer(LayerWorkload Workload, ComplementaryPattern Pattern, DType DType, byte[] DenseModel, byte[] PackedModel);
