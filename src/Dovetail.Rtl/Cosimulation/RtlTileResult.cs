namespace Dovetail.Rtl.Cosimulation;

/// <summary>What left the simulated RTL for one fold; the RTL's own counter stamps the cycles. Fields as in the simulator's
/// result.</summary>
/// <param name="Pixels">P.</param>
/// <param name="Columns">Array columns, C.</param>
/// <param name="PartialSums">[Pixels, Columns].</param>
/// <param name="OutputCycles">[Pixels, Columns]: the stream cycle (0 is the first one after the load) at whose end the sum was
/// complete.</param>
/// <param name="LoadCycles">Cycles until the last row of weights was taken.</param>
/// <param name="StreamCycles">The fold's other cycles.</param>
public sealed record RtlTileResult(
    int Pixels, int Columns, int[] PartialSums, int[] OutputCycles, long LoadCycles, long StreamCycles)
{
    public long Cycles => LoadCycles + StreamCycles;
}
