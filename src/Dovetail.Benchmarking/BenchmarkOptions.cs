using Dovetail.Runtime;

namespace Dovetail.Benchmarking;

/// <summary>How to measure.</summary>
/// <param name="Threads">Threads of both sessions.</param>
/// <param name="Seconds">Time that both sides together run, after warm-up.</param>
/// <param name="Batch">Replaces a free first dimension of the inputs.</param>
/// <param name="Seed">Of the random inputs: uniform in [−1, 1) or over all bytes.</param>
public sealed record BenchmarkOptions(int Threads = 1, double Seconds = 2, int Batch = 1, int Seed = 1)
{
    /// <summary>What inputs of the network are fed, for those where not any values do; the others get random ones.</summary>
    public IReadOnlyList<InputTensor> Inputs { get; init; } = [];

    /// <summary>Of dimensions that the inputs leave open, by name.</summary>
    public IReadOnlyDictionary<string, long> Sizes { get; init; } = new Dictionary<string, long>();
}
