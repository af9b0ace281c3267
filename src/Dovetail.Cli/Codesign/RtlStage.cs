using Dovetail.Accelerator.Config;
using Dovetail.Accelerator.Mapping;
using Dovetail.Accelerator.Simulation;
using Dovetail.Cli.Reports.Results;
using Dovetail.Core.Patterns;
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

    public sealed record Outcome(RtlInfo Info, EqualityCheck Check);

    public static Outcome Run(IReadOnlyList<CapturedLayer> layers, ArrayConfig config, string folder, RtlOptions options, CancellationToken cancellation)
    {
        (int rows, int columns, ComplementaryPattern pattern) = (config.Rows, config.Columns, config.Pattern);
        const string Name = "RTL in Verilator = array simulator, sums bit for bit and cycle for cycle";
        string[] files;
        try
        {
            files = [.. RtlGenerator.Emit(config, folder, options).Select(Path.GetFileName).OfType<string>()];
        }
        catch (RtlException error) // an array that the simulator knows and the generator does not emit yet
        {
            return Unchecked("skipped", error.Message, []);
        }

        CapturedLayer layer = layers.FirstOrDefault(candidate => candidate.Weights.Pattern.Equals(pattern)) ?? layers[0];
        LayerMapping mapping = LayerMapping.Of(config, layer.Layer);
        // A fold from the middle of the first outputs: inner taps, so that few of its lanes are padding.
        ArrayFold fold = mapping.Folds().Skip(mapping.SlotFolds / 2).First();
        ArrayTile tile = mapping.Tile(fold, mapping.WeightsOf(layer.Layer), layer.Input, layer.Layer.Quantization!.InputZeroPoint);
        ArrayTileResult expected = new WeightStationaryArray(config).Run(tile);
        try
        {
            RtlTileResult found = TileCosimulation.Run(config, tile, options, cancellation);
            TileDifference? difference = TileCosimulation.Compare(expected, found);
            long compared = 2L * expected.PartialSums.Length;
            return new Outcome(
                new RtlInfo(difference is null ? "equal" : "different", difference?.ToString(), 1, found.Cycles, rows, columns, layer.Layer.Name, tile.Pixels, files),
                new EqualityCheck(Name, difference is null ? "equal" : "different", compared, difference is null ? 0 : 1, 0,
                    difference?.ToString() ?? $"one {rows}×{columns} tile of layer {layer.Layer.Name}, {tile.Pixels} pixels, {found.Cycles} cycles"));
        }
        catch (ToolMissingException error)
        {
            return Unchecked("skipped", error.Message, files);
        }
        catch (RtlException error) // a tool that is here and does not work: the rest of the job is worth keeping
        {
            return Unchecked("failed", error.Message, files);
        }

        Outcome Unchecked(string status, string reason, string[] emitted) => new(
            new RtlInfo(status, reason, 0, 0, rows, columns, null, 0, emitted),
            new EqualityCheck(Name, status, 0, 0, 0, reason));
    }
}
