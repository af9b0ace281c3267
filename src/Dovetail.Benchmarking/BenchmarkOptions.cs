namespace Dovetail.Benchmarking;

/// <summary>How to measure.</summary>
/// <param name="Threads">Threads of both sessions.</param>
/// <param name="Seconds">Time that both sides together run, after warm-up.</param>
/// <param name="Batch">Replaces a free first dimension of the inputs.</param>
/// <param name="Seed">Of the random inputs: uniform in [−1, 1) or over all bytes.</param>
public sealed record BenchmarkOptions(int Threads = 1, double Seconds = 2, int Batch = 1, int Seed = 1);
