using Dovetail.Cli.Reports.Html;
using Dovetail.Cli.Reports.Results;

namespace Dovetail.Cli.Reports.Sections;

/// <summary>Whether the generated SystemVerilog agrees with the simulator, or why that was not tried.</summary>
internal static class RtlSection
{
    public static Section Render(CodesignResult result)
    {
        RtlInfo rtl = result.Rtl;
        Markup verdict = rtl.Status == "skipped"
            ? Markup.Of(
                $"""
                <p>{Words.Badge(rtl.Status)} The SystemVerilog was written but not run.</p>
                <p class="todo">{rtl.Reason ?? "No reason was recorded; 'dovetail doctor' says what is missing."}</p>
                """)
            : Markup.Of(
                $"""
                <p>{Words.Badge(rtl.Status)} Verilator ran the generated {rtl.Rows}×{rtl.Cols} array on {Words.Plural(rtl.Tiles, "tile")} of <code>{rtl.Layer ?? "a layer"}</code> with the activations of {Words.Plural(rtl.Pixels, "pixel")} from real images: {Figures.Count(rtl.Cycles)} cycles, {(rtl.Status == "equal" ? "every output bit and every cycle as the simulator says" : "not what the simulator says")}.</p>
                """);
        return new Section("rtl", "RTL", Markup.Of(
            $"""
            {verdict}
            {(rtl.Files.Count == 0 ? Markup.Empty : Markup.Of($"""<ul class="files">{rtl.Files.Select(file => Markup.Of($"<li><code>{file}</code></li>"))}</ul>"""))}
            """));
    }
}
