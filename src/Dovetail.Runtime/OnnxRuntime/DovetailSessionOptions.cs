namespace Dovetail.Runtime.OnnxRuntime;

/// <summary>How a session runs.</summary>
/// <param name="Threads">Threads of one run; null: one a processor.</param>
/// <param name="AllowSpinning">
/// Whether waiting threads spin. Faster where the session has the machine for itself; disturbs others that measure.
/// </param>
/// <param name="OptimizeGraph">False: run the graph as it stands, e.g. to compare layer by layer.</param>
public sealed record DovetailSessionOptions(int? Threads = null, bool AllowSpinning = true, bool OptimizeGraph = true);
