namespace Dovetail.Accelerator.Simulation;

/// <summary>What one fold leaves: partial sums and when each of them was complete.</summary>
/// <param name="Pixels">P.</param>
/// <param name="Columns">Array columns, C.</param>
/// <param name="PartialSums">[Pixels, Columns]: Σ over the array rows of lane[owner]·weight, int32.</param>
/// <param name="OutputCycles">
/// [Pixels, Columns]: the stream cycle (0 is the first one after the load) at whose end the sum stands
/// in the partial-sum register of the bottom row.
/// </param>
/// <param name="LoadCycles">Cycles in which weights and owners shifted in: R.</param>
/// <param name="StreamCycles">Cycles from the first lane's entry to the last sum, both included.</param>
public sealed record ArrayTileResult(
    int Pixels, int Columns, int[] PartialSums, int[] OutputCycles, long LoadCycles, long StreamCycles)
{
    /// <summary>Load, then stream, nothing overlapped.</summary>
    public long Cycles => LoadCycles + StreamCycles;

    public int PartialSum(int pixel, int column) => PartialSums[pixel * Columns + column];

    public int OutputCycle(int pixel, int column) => OutputCycles[pixel * Columns + column];
}
