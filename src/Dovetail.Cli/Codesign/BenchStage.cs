using Dovetail.Benchmarking;
using Dovetail.Cli.Reports.Results;
using Dovetail.Cli.Terminal;

namespace Dovetail.Cli.Codesign;

/// <summary>Dense against packed on this CPU, whole network and layer by layer, in one process and in turn.</summary>
internal static class BenchStage
{
    private const double NetworkSeconds = 4, LayerSeconds = 0.6;

    public static SpeedInfo Run(NetworkPair pair, int threads, int batch, int seed, Action<string> step, CancellationToken cancellation)
    {
        var options = new BenchmarkOptions(threads, NetworkSeconds, batch, seed);
        NetworkResult network = NetworkBenchmark.Measure(pair, options, cancellation: cancellation);
        step("network");
        IReadOnlyList<LayerResult> layers = NetworkBenchmark.MeasureLayers(
            pair, options with { Seconds = LayerSeconds },
            progress: new ImmediateProgress<LayerResult>(layer => step(layer.Workload.Name)), cancellation: cancellation);
        return new SpeedInfo(
            threads, batch, network.Ratio, network.Dense.Latency.MedianMicroseconds / 1e3, network.Packed.Latency.MedianMicroseconds / 1e3,
            network.Dense.Latency.Runs, [.. layers.Select(LayerSpeedInfo.Of)]);
    }
}
