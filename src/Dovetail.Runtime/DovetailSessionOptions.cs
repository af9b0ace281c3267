namespace Dovetail.Runtime;

/// <summary>How a session runs.</summary>
/// <param name="Threads">Threads of one run; null: one a processor.</param>
/// <param name="AllowSpinning">Whether threads that wait for work within a run spin first.</param>
/// <param name="StopSpinningAfterRun">Whether they stop as soon as a run ends, so that another session has the processors.</param>
/// <param name="OptimizeGraph">False: run the graph as it stands, e.g. to compare layer by layer.</param>
/// <param name="ExactIntegers">
/// On an x86 CPU without VNNI, ONNX Runtime's own int8 operators sum two uint8 × int8 products in 16 bits, saturating.
/// True: they take a slower exact path there, wherever its graph optimizations can make the weights uint8; so not with
/// <paramref name="OptimizeGraph"/> false. The packed operators are always exact.
/// </param>
public sealed record DovetailSessionOptions(
    int? Threads = null, bool AllowSpinning = true, bool StopSpinningAfterRun = false,
    bool OptimizeGraph = true, bool ExactIntegers = false);
