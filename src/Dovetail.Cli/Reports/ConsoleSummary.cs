using Dovetail.Cli.Reports.Html;
using Dovetail.Cli.Reports.Results;
using Spectre.Console;
using Table = Spectre.Console.Table;

namespace Dovetail.Cli.Reports;

/// <summary>The end of <c>dovetail codesign</c> on a terminal: the key figures, what to know, where to look. Outside text is never
/// markup.</summary>
public static class ConsoleSummary
{
    /// <param name="reportPath">Optional: the report to open, the last line.</param>
    public static void Write(IAnsiConsole console, CodesignResult result, string? reportPath = null)
    {
        ArgumentNullException.ThrowIfNull(console);
        ArgumentNullException.ThrowIfNull(result);
        (AccuracyInfo accuracy, BytesInfo bytes, SpeedInfo speed, AcceleratorInfo array) =
            (result.Accuracy, result.Bytes, result.Speed, result.Accelerator);
        var table = new Table { Border = TableBorder.Rounded };
        table.Title = new TableTitle(
            Spectre.Console.Markup.Escape($"{result.Model.Name} on {result.Data.Name}, {result.Pattern} "
            + $"({Figures.ShortPercent(result.Sparsity)} zeros), seed {result.Seed}"));
        table.AddColumn("");
        foreach (string header in (string[])["dense", "complementary", "gain"])
            table.AddColumn(new TableColumn(new Text(header)).RightAligned());
        Row(table, "test accuracy", Figures.Percent(accuracy.Dense), Figures.Percent(accuracy.Complementary), Figures.Points(
            accuracy.Complementary - accuracy.Dense));
        Row(table, "test accuracy, packed", "", Figures.Percent(accuracy.Packed), Figures.Points(accuracy.Packed - accuracy.Dense));
        Row(table, "test accuracy, int8", Figures.Percent(accuracy.DenseInt8), Figures.Percent(accuracy.Int8), Figures.Points(
            accuracy.Int8 - accuracy.DenseInt8));
        Row(table, "model file", Figures.Bytes(bytes.Dense), Figures.Bytes(bytes.Packed), Words.Smaller(
            Figures.Over(bytes.Dense, bytes.Packed)));
        Row(table, "model file, int8", Figures.Bytes(bytes.DenseInt8), Figures.Bytes(bytes.PackedInt8), Words.Smaller(
            Figures.Over(bytes.DenseInt8, bytes.PackedInt8)));
        Row(table, $"CPU, batch {speed.Batch}, {Words.Plural(speed.Threads, "thread")}", $"{Figures.Significant(speed.DenseMs)} ms",
            $"{Figures.Significant(speed.PackedMs)} ms", Words.Faster(speed.NetworkRatio));
        Row(table, $"cycles on a {array.Rows}×{array.Cols} array", Figures.Count(array.DenseCycles), Figures.Count(
            array.ComplementaryCycles), Words.Faster(array.Speedup));
        Row(table, "utilization of the array", Figures.Percent(array.DenseUtilization, 1), Figures.Percent(array.Utilization, 1), "");
        Row(table, "throughput per area", "1×", Figures.Ratio(array.ThroughputPerArea), "");
        console.Write(table);
        int agree = result.Equality.Count(check => check.Status is "equal" or "within tolerance");
        Line(console, $"agreement: {agree} of {result.Equality.Count} checks; RTL: "
            + $"{result.Rtl.Status}{(result.Rtl.Reason is { } reason ? $" ({reason})" : "")}");
        foreach (string note in result.Notes)
            Line(console, $"note: {note}");
        if (reportPath is not null)
            Line(console, $"report: {reportPath}");
    }

    private static void Row(Table table, params string[] cells) => table.AddRow(cells.Select(cell => new Text(cell)));

    private static void Line(IAnsiConsole console, string text) => console.WriteLine(text);
}
