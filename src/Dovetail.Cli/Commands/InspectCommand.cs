using System.CommandLine;
using Dovetail.Cli.Codesign;
using Dovetail.Cli.Reports.Charts;
using Dovetail.Cli.Reports.Html;
using Dovetail.Cli.Reports.Results;
using Dovetail.Cli.Terminal;
using Dovetail.Core;
using Dovetail.Core.Files;
using Dovetail.Core.Operators;
using Dovetail.Core.Patterns;
using Dovetail.Onnx.Inspection;
using Dovetail.Onnx.Layers;
using Spectre.Console;
using Markup = Spectre.Console.Markup;
using Table = Spectre.Console.Table;

namespace Dovetail.Cli.Commands;

/// <summary><c>dovetail inspect</c>: what a file's layers are, and which patterns their weights fit.</summary>
internal static class InspectCommand
{
    private static readonly string[] DefaultCandidates =
        ["2:4", "1:4", "1:8", "1:16", "2:32", "4:64", "1:16@strided", "1:16/out", "1:16x2", "block4x4:1/16", "unstructured:1/16"];

    public static Command Create()
    {
        var file = new Argument<string>("FILE") { Description = "ONNX (dense, sparse, QDQ or packed) or safetensors." };
        var candidates = new Option<string[]>("--candidates")
        {
            Description = $"Patterns of any family to try the weights on. Default: {string.Join(" ", DefaultCandidates)}.",
            HelpName = "PATTERN…",
            AllowMultipleArgumentsPerToken = true,
        };
        var mask = new Option<string?>("--mask")
        {
            Description = "Draw the mask of this layer; say where with --svg or --png.",
            HelpName = "LAYER",
        };
        var svg = new Option<string?>("--svg") { Description = "The corner of the mask with the borders of its cells.", HelpName = "FILE" };
        var png = new Option<string?>("--png") { Description = "The whole mask, a pixel a weight.", HelpName = "FILE" };
        Option<string?> json = CommonOptions.Json();
        var command = new Command("inspect", "Show the layers of a file: shapes, patterns, sparsity, bytes, and how well the weights fit "
            + "candidate patterns.")
        {
            file, candidates, mask, svg, png, json,
        };
        command.Validators.Add(result =>
        {
            bool picture = result.GetValue(svg) is not null || result.GetValue(png) is not null;
            if (picture != result.GetValue(mask) is not null)
                result.AddError("A mask picture takes --mask LAYER and --svg FILE or --png FILE.");
        });
        command.SetAction((parsed, cancellation) =>
        {
            var output = new VerbOutput(parsed.GetValue(json));
            string path = parsed.GetValue(file)!;
            SparsityPattern[] tried = [.. (parsed.GetValue(candidates) is { Length: > 0 } given ? given : DefaultCandidates)
                .Select(SparsityPattern.Parse).Distinct()];
            ModelSource.CheckFile(path);
            using WeightFile weights = WeightFile.Open(path);
            IReadOnlyList<WeightEntry> entries = weights.ReadEntries();
            WeightEntry? drawn = parsed.GetValue(mask) is { } name ? Find(entries, name) : null;
            SparsityPattern? declared = weights.DeclaredPattern;
            bool packed = weights.IsPacked;
            var layers = new List<LayerInspection>();
            ProgressLine.Run(output.Human, "Inspecting", entries.Count, step =>
            {
                foreach (WeightEntry entry in entries)
                {
                    cancellation.ThrowIfCancellationRequested();
                    layers.Add(Inspect(
                        entry, packed ? null : weights.DeclaredFor(entry.Name), tried, detect: weights.LayerPatterns is null));
                    step(entry.Name);
                }
            });
            long size = weights.FileBytes;
            IReadOnlyList<OtherNode> others = weights.Model is { } graph ? WeightLayers.FindOthers(graph) : [];
            Print(output.Human, path, weights.Format, size, layers);
            PrintOthers(output.Human, others);
            if (drawn is not null)
                Draw(drawn, layers.First(layer => layer.Name == drawn.Name), parsed.GetValue(svg), parsed.GetValue(png));
            long places = layers.Sum(layer => layer.Weights), nonZeros = layers.Sum(layer => layer.NonZeros);
            output.WriteJson(new InspectJson(
                path, weights.Format, declared?.ToString(), size, places, nonZeros, layers.Count == 0 ? 0 : 1 - (double)nonZeros / places,
                layers.Sum(layer => layer.Bytes), layers.Sum(layer => layer.DenseBytes), layers, others));
            return Task.FromResult(0);
        });
        return command;
    }

    private static LayerInspection Inspect(WeightEntry entry, SparsityPattern? declared, SparsityPattern[] candidates, bool detect)
    {
        try
        {
            return LayerInspection.Of(entry, declared, candidates, detect);
        }
        catch (PatternException error)
        {
            throw new DovetailException($"Layer '{entry.Name}': {error.Message}", error);
        }
    }

    private static WeightEntry Find(IReadOnlyList<WeightEntry> entries, string name) => entries.FirstOrDefault(entry => entry.Name == name)
        ?? throw new DovetailException($"There is no layer '{name}', expected one of: "
            + $"{string.Join(", ", entries.Select(entry => entry.Name))}.");

    private static void Draw(WeightEntry entry, LayerInspection layer, string? svg, string? png)
    {
        bool[] mask = entry.LoadOwners?.Invoke() ?? Array.ConvertAll(entry.Load(), weight => weight != 0);
        if (svg is not null)
            AtomicFile.WriteAllText(
                svg, MaskFile.Svg(entry.Name, mask, entry.Shape, layer.Pattern is null ? null : SparsityPattern.Parse(layer.Pattern)));
        if (png is not null)
            AtomicFile.WriteAllBytes(png, MaskFile.Png(mask, entry.Shape));
    }

    private static void Print(IAnsiConsole console, string path, string format, long size, List<LayerInspection> layers)
    {
        console.WriteLine($"{path}: {format}, {Figures.Bytes(size)}, {layers.Count} layers with weights");
        Table table = new Table().AddColumns("Layer", "Op", "Shape", "Type", "Pattern");
        foreach (string column in (string[])["Sparsity", "Bytes", "Dense bytes"])
            table.AddColumn(new TableColumn(column).RightAligned());
        bool indexed = layers.Exists(layer => layer.IndexBits is not null), noted = layers.Exists(layer => layer.Note is not null);
        if (indexed)
            table.AddColumn(new TableColumn("Index bits").RightAligned()).AddColumn(new TableColumn("Index bytes").RightAligned());
        if (noted)
            table.AddColumn("Note");
        foreach (LayerInspection layer in layers)
        {
            List<string> cells =
            [
                Markup.Escape(layer.Name), layer.Op,
                string.Join('×', layer.Shape) + (layer.Groups > 1 ? $" in {layer.Groups} groups" : ""), Type(layer),
                layer.Pattern is null ? "–" : $"{layer.Pattern} ({layer.PatternSource})", $"{layer.Sparsity:0.00%}", $"{layer.Bytes:N0}",
                $"{layer.DenseBytes:N0}",
            ];
            if (indexed)
                cells.AddRange([layer.IndexBits?.ToString() ?? "–", layer.IndexBytes is { } bytes ? $"{bytes:N0}" : "–"]);
            if (noted)
                cells.Add(Markup.Escape(layer.Note ?? ""));
            table.AddRow([.. cells]);
        }

        console.Write(table);

        if (!layers.Exists(layer => layer.Candidates.Count > 0))
            return;
        foreach (Table fits in FitTables.Of([.. layers.Where(layer => layer.Candidates.Count > 0)], console.Profile.Width))
            console.Write(fits);
        console.WriteLine("✓ all non-zeros lie inside the pattern; – the pattern does not fit the shape."
            + (layers.Exists(layer => layer.BestFit is not null) ? " Best fit: the pattern with ✓ that keeps fewest weights." : ""));
    }

    private static void PrintOthers(IAnsiConsole console, IReadOnlyList<OtherNode> others)
    {
        if (others.Count == 0)
            return;
        Table table = new Table().AddColumns("No layer", "Op", "Because");
        foreach (OtherNode other in others)
            table.AddRow(Markup.Escape(other.Name), Markup.Escape(other.Op), Markup.Escape(other.Reason));
        console.Write(table);
    }

    /// <summary>E.g. "float32", or "bfloat16, bf16 operands" where a layer multiplies other than fp32.</summary>
    private static string Type(LayerInspection layer) =>
        layer.Operands is null or OperandNames.Float32 ? layer.Type : $"{layer.Type}, {layer.Operands} operands";
}
