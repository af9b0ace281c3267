namespace Dovetail.Rtl.Cosimulation;

/// <summary>The first thing in which the RTL and the simulator differ.</summary>
/// <param name="What">E.g. "partial sum".</param>
/// <param name="Pixel">Null for a count of the whole fold.</param>
/// <param name="Column">Null for a count of the whole fold.</param>
/// <param name="Expected">The simulator's number.</param>
/// <param name="Found">The RTL's number.</param>
/// <param name="StreamCycle">The stream cycle at whose end the RTL's sum was complete; null for a count.</param>
public sealed record TileDifference(string What, int? Pixel, int? Column, long Expected, long Found, int? StreamCycle)
{
    public override string ToString() =>
        Pixel is null
            ? $"{What}: the simulator has {Expected}, the RTL {Found}."
            : $"{What} of pixel {Pixel}, column {Column}: the simulator has {Expected}, the RTL {Found} (stream cycle {StreamCycle}).";
}
