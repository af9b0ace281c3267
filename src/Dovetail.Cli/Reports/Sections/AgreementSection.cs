using Dovetail.Cli.Reports.Html;
using Dovetail.Cli.Reports.Results;

namespace Dovetail.Cli.Reports.Sections;

/// <summary>The main invariant, check by check.</summary>
internal static class AgreementSection
{
    public static Section Render(CodesignResult result)
    {
        int exact = result.Equality.Count(check => check.Status == "equal");
        int near = result.Equality.Count(check => check.Status == "within tolerance");
        int skipped = result.Equality.Count(check => check.Status == "skipped");
        int different = result.Equality.Count - exact - near - skipped;
        string[] told =
        [
            $"{exact} equal bit for bit",
            $"{near} within tolerance",
            .. different > 0 ? [$"{different} different"] : Array.Empty<string>(),
            .. skipped > 0 ? [$"{skipped} skipped"] : Array.Empty<string>(),
        ];
        var table = new Table("Executions of the same packed bytes, compared",
            new Column("Compared"), new Column("Status"), new Column("Numbers", "number"), new Column("Largest difference", "number"),
            new Column("Tolerance", "number"));
        foreach (EqualityCheck check in result.Equality)
            table.Row(Markup.Of($"""{check.Name}<br/><small>{check.Detail}</small>"""), Words.Badge(check.Status),
                Words.Text(check.Status == "skipped" ? Figures.Missing : Figures.Count(check.Compared)),
                Words.Text(check.Status == "skipped" ? Figures.Missing : Figures.Significant(check.MaxDifference)),
                Words.Text(check.Tolerance == 0 ? "exact" : Figures.Significant(check.Tolerance)));
        return new Section("agreement", "Agreement", Markup.Of(
            $"""
            <p class="invariant"><span>scalar reference</span> = <span>SIMD kernels</span> = <span>simulator</span> = {(result.Rtl.Status == "equal" ? Markup.Of($"<span>RTL</span>") : Markup.Of($"""<span class="open">RTL ({result.Rtl.Status})</span>"""))}</p>
            <p>They compute the same product from the same packed bytes: exactly for integers, within a stated tolerance for floats. Of {Words.Plural(result.Equality.Count, "check")}: {string.Join(", ", told)}.</p>
            {(result.Equality.Count == 0 ? Markup.Empty : table.Render())}
            {OnnxRuntimeItself(result.OnnxRuntimeInt8)}
            """));
    }

    private static Markup OnnxRuntimeItself(IReadOnlyList<OnnxRuntimeInt8Info> networks)
    {
        if (networks.Count == 0)
            return Markup.Empty;
        var table = new Table("ONNX Runtime's own int8 layers, each against the scalar reference on the same input",
            new Column("Network"), new Column("Images", "number"), new Column("Outputs", "number"), new Column("That differ", "number"),
            new Column("Greatest difference", "number"));
        foreach (OnnxRuntimeInt8Info network in networks)
            table.Row(Words.Text(network.Network), Words.Text(Figures.Count(network.Images)), Words.Text(Figures.Count(network.Values)),
                Words.Text(Figures.Percent(network.DifferingShare)), Words.Text(Words.Plural(network.MaxDifferenceSteps, "step")));
        string told = networks.All(network => network.DifferingShare == 0)
            ? "ONNX Runtime's own int8 layers are exact on this CPU too."
            : "ONNX Runtime's own int8 layers are not exact on this CPU: where an x86 CPU has no VNNI, they add two products in 16 bits, "
                + "which saturate. The packed operators are exact everywhere.";
        return Markup.Of($"""<p>{told}</p>{table.Render()}""");
    }
}
