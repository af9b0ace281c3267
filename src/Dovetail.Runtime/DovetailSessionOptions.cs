namespace Dovetail.Runtime;

/// <summary>How a session runs.</summary>
/// <param name="Threads">Threads of one run; null: one a processor.</param>
/// <param name="AllowSpinning">Whether threads that wait for work within a run spin first.</param>
/// <param name="StopSpinningAfterRun">Whether they stop as soon as a run ends, so that another session has the processors.</param>
/// <param name="OptimizeGraph">False: run the graph as it stands, e.g. to compare layer by layer.</param>
/// <param name="ExactIntegers">
/// Where the CPU has no VNNI, ONNX Runtime's own int8 operators saturate in 16 bits. True: they take their slower exact
/// path there. The packed operators are always exact.
/// </param>
public sealed record DovetailSessionOptions(
    int? Threads = null, bool AllowSpinning = true, bool StopSpinningAfterRun = false,
    bool OptimizeGraph = true, bool ExactIntegers = false);
