using Dovetail.Core.Packing;

namespace Dovetail.Benchmarking;

/// <summary>Arithmetic of a packed network over its time: its layers with weights, two operations a product.</summary>
public sealed record NetworkRates
{
    /// <param name="runsPerSecond">Runs of <paramref name="batch"/> inputs.</param>
    public NetworkRates(PackedModel packed, int batch, double runsPerSecond, double peakGflops)
    {
        EffectiveGflops = 2e-9 * batch * runsPerSecond * packed.Layers.Sum(layer => (double)layer.Workload.DenseMacs);
        UsefulGflops = 2e-9 * batch * runsPerSecond * packed.Layers.Sum(layer => layer.Workload.DenseMacs * layer.Weights.Pattern.Density);
        PeakGflops = peakGflops;
    }

    /// <summary>As if every weight of the dense network were multiplied.</summary>
    public double EffectiveGflops { get; }

    /// <summary>Kept weights, and all of the layers that stay dense.</summary>
    public double UsefulGflops { get; }

    /// <summary>Of the machine, fp32.</summary>
    public double PeakGflops { get; }

    public double ShareOfPeak => UsefulGflops / PeakGflops;
}
