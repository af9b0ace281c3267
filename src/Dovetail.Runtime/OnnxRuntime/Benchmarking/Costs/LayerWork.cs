using Dovetail.Core.Packing;
using Dovetail.Core.Patterns;
using Dovetail.Core.Workloads;

namespace Dovetail.Runtime.OnnxRuntime.Benchmarking.Costs;

/// <summary>What of a layer takes time, besides running a node at all.</summary>
/// <param name="Products">Multiply-accumulates that are executed, lanes that are filled up included.</param>
/// <param name="WeightBytes">Read once a run: values, and a byte an owner.</param>
/// <param name="ActivationBytes">Read and written once a run.</param>
public readonly record struct LayerWork(double Products, double WeightBytes, double ActivationBytes)
{
    /// <summary>Outputs that ride in the lanes of a vector.</summary>
    private const int Lanes = 16;

    public static LayerWork Dense(LayerWorkload workload, WeightShape weights, DType type, int batch)
    {
        ArgumentNullException.ThrowIfNull(workload);
        ArgumentNullException.ThrowIfNull(weights);
        int bytes = ElementBytes(type);
        return new((double)workload.DenseMacs * batch, (double)weights.Count * bytes, ActivationsOf(workload, weights) * bytes * batch);
    }

    public static LayerWork Packed(LayerWorkload workload, WeightShape weights, ComplementaryPattern pattern, DType type, int batch)
    {
        ArgumentNullException.ThrowIfNull(workload);
        ArgumentNullException.ThrowIfNull(weights);
        int bytes = ElementBytes(type);
        double filled = (double)((weights.OutputsPerGroup + Lanes - 1) / Lanes * Lanes) / weights.OutputsPerGroup;
        double values = new CellLayout(pattern, weights).ValueCount * filled;
        return new(values * workload.N * batch, values * (bytes + 1), ActivationsOf(workload, weights) * bytes * batch);
    }

    /// <summary>A copy of so many elements.</summary>
    public static LayerWork Copy(long elements, DType type, int batch) => new(0, 0, 2.0 * elements * ElementBytes(type) * batch);

    private static int ElementBytes(DType type) => type == DType.Int8 ? 1 : sizeof(float);

    private static double ActivationsOf(LayerWorkload workload, WeightShape weights) => (double)workload.M * workload.N + (workload.Convolution is { } g
        ? (double)g.InputHeight * g.InputWidth * weights.Channels * g.Groups
        : (double)workload.N * workload.K);
}
