namespace Dovetail.Accelerator.Simulation;

/// <summary>A layer executed cycle by cycle.</summary>
/// <param name="Counts">As counted while it ran.</param>
/// <param name="Accumulators">[pixels, outputs]: Σ (x − input zero point)·w in int32, without the bias; <see cref="Requantization"/> makes
/// the uint8 outputs.</param>
public sealed record LayerSimulation(LayerCounts Counts, int[] Accumulators);
