using Dovetail.Accelerator.Config;
using Dovetail.Accelerator.Mapping;
using Dovetail.Accelerator.Simulation;
using Dovetail.Cli.Reports.Results;
using Dovetail.Rtl;
using Dovetail.Rtl.Cosimulation;
using Dovetail.Rtl.Emit;

namespace Dovetail.Cli.Codesign;

/// <summary>
/// Emits the complementary array at a small size, builds it with Verilator, and feeds it one fold of the trained
/// network: its packed int8 bytes and the activations of a real image. Sums and cycles must be the simulator's.
/// </summary>
internal static class RtlStage
{
    /// <summary>Small enough that Verilator builds it in seconds.</summary>
    public const int DefaultRows = 8, DefaultColumns = 8;

    private const string Name = "RTL in Verilator = array simulator, sums bit for bit and cycle for cycle";

    public sealed record Outcome(RtlInfo Info, EqualityCheck Check);

    public static Outcome Run(
        IReadOnlyList<CapturedLayer> layers, ArrayConfig config, string folder, RtlOptions options, CancellationToken cancellation)
    {
        string[] files;
        try
        {
            files = [.. RtlGenerator.Emit(config, folder, options).Select(Path.GetFileName).OfType<string>()];
        }
        catch (RtlException error) // an array that the simulator knows and the generator does not emit yet
        {
            return Unchecked("skipped", error.Message, config, []);
        }

        CapturedLayer layer = layers.FirstOrDefault(candidate => candidate.Weights.Pattern.Equals(config.Pattern)) ?? layers[0];
        LayerMapping mapping = LayerMapping.Of(config, layer.Layer);
        // A fold from the middle of the first outputs: inner taps, so that few of its lanes are padding.
        ArrayFold fold = mapping.Folds().Skip(mapping.SlotFolds / 2).First();
        ArrayTile tile = mapping.Tile(fold, mapping.WeightsOf(layer.Layer), layer.Input, layer.Layer.Quantization!.InputZeroPoint);
        return Check(config, tile, layer.Layer.Name, files, options, cancellation);
    }

    /// <summary>One tile in Verilator and in the simulator; a tool that is missing or fails is a status, not an exception.</summary>
    /// <param name="layer">Where the tile is from; null where it is random.</param>
    /// <param name="files">Names of the files that were emitted.</param>
    public static Outcome Check(
        ArrayConfig config, ArrayTile tile, string? layer, string[] files, RtlOptions options, CancellationToken cancellation)
    {
        ArrayTileResult expected = new WeightStationaryArray(config).Run(tile);
        try
        {
            RtlTileResult found = TileCosimulation.Run(config, tile, options, cancellation);
            TileDifference? difference = TileCosimulation.Compare(expected, found);
            string status = difference is null ? "equal" : "different", origin = layer is null ? "random values" : $"layer {layer}";
            return new Outcome(
                new RtlInfo(status, difference?.ToString(), 1, found.Cycles, config.Rows, config.Columns, layer, tile.Pixels, files),
                new EqualityCheck(Name, status, 2L * expected.PartialSums.Length, difference is null ? 0 : 1, 0,
                    difference?.ToString()
                    ?? $"one {config.Rows}×{config.Columns} tile of {origin}, {tile.Pixels} pixels, {found.Cycles} cycles"));
        }
        catch (ToolMissingException error)
        {
            return Unchecked("skipped", error.Message, config, files);
        }
        catch (RtlException error) // a tool that is here and does not work: the rest of the job is worth keeping
        {
            return Unchecked("failed", error.Message, config, files);
        }
    }

    private static Outcome Unchecked(string status, string reason, ArrayConfig config, string[] files) => new(
        new RtlInfo(status, reason, 0, 0, config.Rows, config.Columns, null, 0, files),
        new EqualityCheck(Name, status, 0, 0, 0, reason));
}
