using Dovetail.Onnx.Inspection;
using Spectre.Console;

namespace Dovetail.Cli.Commands;

/// <summary>
/// How well each layer fits each candidate pattern: one table, or several below each other where the candidates do not fit side by
/// side. The best fit has a column where any layer has one.
/// </summary>
internal static class FitTables
{
    /// <summary>Of a column beside its text: a border and a blank on either side.</summary>
    private const int Frame = 3;

    private const string LayerHeading = "Σw² kept", BestHeading = "Best fit";

    /// <param name="width">Characters of a line; a single candidate is shown whatever it takes.</param>
    public static IEnumerable<Table> Of(IReadOnlyList<LayerInspection> layers, int width)
    {
        string[] rest = [.. layers.SelectMany(layer => layer.Candidates).Select(fit => fit.Pattern).Distinct()];
        int names = Widest(layers.Select(layer => layer.Name).Append(LayerHeading));
        int best = HasBest(layers) ? Widest(layers.Select(Best).Append(BestHeading)) : 0;
        do
        {
            int count = 0, left = width - 1 - names - best;
            while (count < rest.Length
                && ((left -= Widest(layers.Select(layer => Cell(layer, rest[count])).Append(rest[count]))) >= 0 || count == 0))
                count++;
            yield return Part(layers, rest[..count]);
            rest = rest[count..];
        }
        while (rest.Length > 0);
    }

    private static Table Part(IReadOnlyList<LayerInspection> layers, string[] patterns)
    {
        Table table = new Table().AddColumn(new TableColumn(LayerHeading).NoWrap());
        foreach (string pattern in patterns)
            table.AddColumn(new TableColumn(Markup.Escape(pattern)).RightAligned().NoWrap());
        bool best = HasBest(layers);
        if (best)
            table.AddColumn(new TableColumn(BestHeading).NoWrap());
        foreach (LayerInspection layer in layers)
        {
            List<string> cells = [Markup.Escape(layer.Name), .. patterns.Select(pattern => Cell(layer, pattern))];
            if (best)
                cells.Add(Best(layer));
            table.AddRow([.. cells]);
        }

        return table;
    }

    private static bool HasBest(IEnumerable<LayerInspection> layers) => layers.Any(layer => layer.BestFit is not null);

    private static int Widest(IEnumerable<string> texts) => texts.Max(text => text.Length) + Frame;

    private static string Best(LayerInspection layer) => layer.BestFit ?? "–";

    private static string Cell(LayerInspection layer, string pattern) =>
        layer.Candidates.FirstOrDefault(fit => fit.Pattern == pattern) is { CapturedEnergy: { } captured } fit
            ? $"{captured:0.000}{(fit.Satisfies == true ? " ✓" : "")}"
            : "–";
}
