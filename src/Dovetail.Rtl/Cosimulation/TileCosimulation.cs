using Dovetail.Accelerator.Config;
using Dovetail.Accelerator.Mapping;
using Dovetail.Accelerator.Simulation;
using Dovetail.Core;
using Dovetail.Rtl.Emit;

namespace Dovetail.Rtl.Cosimulation;

/// <summary>Runs tiles on the emitted RTL and compares them with the simulator's: bit for bit and cycle for cycle.</summary>
public static class TileCosimulation
{
    /// <summary>Emits, builds (or takes from the cache) and runs one tile.</summary>
    /// <exception cref="ToolMissingException">Verilator is not installed.</exception>
    /// <exception cref="DovetailException">The array cannot be emitted, the tile does not fit it, or a tool failed.</exception>
    public static RtlTileResult Run(
        ArrayConfig config, ArrayTile tile, RtlOptions? options = null, CancellationToken cancellation = default) =>
        new VerilatorDriver().Build(config, options, cancellation).Run([tile], cancellation)[0];

    /// <summary>The first difference in pixel order, sums before cycles; null where all is equal.</summary>
    public static TileDifference? Compare(ArrayTileResult expected, RtlTileResult found)
    {
        ArgumentNullException.ThrowIfNull(expected);
        ArgumentNullException.ThrowIfNull(found);
        if (Count("pixels", expected.Pixels, found.Pixels) is { } pixels)
            return pixels;
        if (Count("columns", expected.Columns, found.Columns) is { } columns)
            return columns;
        for (int at = 0; at < expected.PartialSums.Length; at++)
        {
            (int pixel, int column) = (at / expected.Columns, at % expected.Columns);
            if (expected.PartialSums[at] != found.PartialSums[at])
                return new TileDifference(
                    "Partial sum", pixel, column, expected.PartialSums[at], found.PartialSums[at], found.OutputCycles[at]);
            if (expected.OutputCycles[at] != found.OutputCycles[at])
                return new TileDifference(
                    "Output cycle", pixel, column, expected.OutputCycles[at], found.OutputCycles[at], found.OutputCycles[at]);
        }

        return Count("Load cycles", expected.LoadCycles, found.LoadCycles)
            ?? Count("Stream cycles", expected.StreamCycles, found.StreamCycles);
    }

    private static TileDifference? Count(string what, long expected, long found) =>
        expected == found ? null : new TileDifference(what, null, null, expected, found, null);
}
