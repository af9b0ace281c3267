using Dovetail.Core.Packing;
using Dovetail.Core.Patterns;
using Dovetail.Core.Workloads;

namespace Dovetail.Benchmarking.Costs;

/// <summary>What of a layer takes time, besides running a node at all.</summary>
/// <param name="Products">Multiply-accumulates that are executed, lanes that are filled up included.</param>
/// <param name="WeightBytes">Read once a run: values, and a byte an owner.</param>
/// <param name="InputBytes">Read once a run.</param>
/// <param name="OutputBytes">Written once a run, after what ends a sum: int8 is scaled and rounded there.</param>
public readonly record struct LayerWork(double Products, double WeightBytes, double InputBytes, double OutputBytes)
{
    /// <summary>Outputs that ride in the lanes of a vector.</summary>
    private const int Lanes = 16;

    public static LayerWork Dense(LayerWorkload workload, WeightShape weights, DType type, int batch)
    {
        ArgumentNullException.ThrowIfNull(workload);
        ArgumentNullException.ThrowIfNull(weights);
        int bytes = ElementBytes(type);
        return new((double)workload.DenseMacs * batch, (double)weights.Count * bytes, InputsOf(workload, weights) * bytes * batch,
            OutputsOf(workload) * bytes * batch);
    }

    public static LayerWork Packed(LayerWorkload workload, WeightShape weights, ComplementaryPattern pattern, DType type, int batch)
    {
        ArgumentNullException.ThrowIfNull(workload);
        ArgumentNullException.ThrowIfNull(weights);
        int bytes = ElementBytes(type);
        double filled = (double)((weights.OutputsPerGroup + Lanes - 1) / Lanes * Lanes) / weights.OutputsPerGroup;
        double values = new CellLayout(pattern, weights).ValueCount * filled;
        return new(values * workload.N * batch, values * ((type == DType.BFloat16 ? sizeof(ushort) : bytes) + 1),
            InputsOf(workload, weights) * bytes * batch, OutputsOf(workload) * bytes * batch);
    }

    /// <summary>A copy of so many elements.</summary>
    public static LayerWork Copy(long elements, DType type, int batch) => new(0, 0, (double)elements * ElementBytes(type) * batch, 0);

    /// <summary>Of activations, and of dense weights.</summary>
    private static int ElementBytes(DType type) => type == DType.Int8 ? 1 : sizeof(float);

    private static double OutputsOf(LayerWorkload workload) => (double)workload.M * workload.N;

    private static double InputsOf(LayerWorkload workload, WeightShape weights) => workload.Convolution is { } g
        ? (double)g.InputHeight * g.InputWidth * weights.Channels * g.Groups
        : (double)workload.N * workload.K;
}
