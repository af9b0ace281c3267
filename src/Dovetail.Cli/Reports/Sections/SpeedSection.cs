using Dovetail.Cli.Reports.Charts;
using Dovetail.Cli.Reports.Html;
using Dovetail.Cli.Reports.Results;

namespace Dovetail.Cli.Reports.Sections;

/// <summary>This CPU, packed against dense in one run: the network, each packed layer, and the layers that stay dense.</summary>
internal static class SpeedSection
{
    public static Section Render(CodesignResult result)
    {
        SpeedInfo speed = result.Speed;
        LayerInfo[] dense = [.. result.Model.Layers.Where(layer => layer.Pattern is null)];
        return new Section("speed", "Speed on this CPU", Markup.Of(
            $"""
            <p>{result.Environment.Cpu}, {result.Environment.Isa}. Packed operators inside ONNX Runtime {result.Environment.OnnxRuntime} against the dense network in plain ONNX Runtime: same process, {Words.Plural(speed.Threads, "thread")} each, batch {speed.Batch}, medians of {Words.Plural(speed.Rounds, "round")}. {Summary(speed)}</p>
            {Network(speed)}
            {(speed.Layers.Count == 0 ? Markup.Empty : Layers(speed))}
            {(dense.Length == 0 ? Markup.Empty : StayDense(dense))}
            """));
    }

    private static string Summary(SpeedInfo speed)
    {
        var parts = new List<string>();
        foreach (IGrouping<string, LayerSpeedInfo> group in speed.Layers.Where(layer => layer.Ratio > 0).GroupBy(layer => layer.Dtype))
            parts.Add($"Geometric mean over the {group.Key} layers: "
                + $"{Figures.Ratio(Math.Exp(group.Average(layer => Math.Log(layer.Ratio))))}.");
        int slower = speed.Layers.Count(layer => layer.Ratio < 1);
        if (slower > 0)
            parts.Add($"{(slower == 1 ? "One layer is" : $"{slower} layers are")} slower packed than dense.");
        return string.Join(" ", parts);
    }

    private static Markup Network(SpeedInfo speed)
    {
        double most = Math.Max(speed.DenseMs, speed.PackedMs);
        return new Table($"The whole network, milliseconds a batch of {speed.Batch}",
                new Column("Network"), new Column("", "chart"), new Column("Time", "number"), new Column("Against dense", "number"))
            .Row(Words.Text("Dense"), Bars.Bar(speed.DenseMs, most, "dense"), Words.Text($"{Figures.Significant(speed.DenseMs)} ms"),
                Markup.Empty)
            .Row(Words.Text("Packed"), Bars.Bar(speed.PackedMs, most, speed.NetworkRatio < 1 ? "slow" : "packed"),
                Words.Text($"{Figures.Significant(speed.PackedMs)} ms"), Words.Text(Words.Faster(speed.NetworkRatio)))
            .Render();
    }

    private static Markup Layers(SpeedInfo speed)
    {
        double most = speed.Layers.Max(layer => Math.Max(layer.Ratio, Words.Ideal(layer.Pattern) ?? 1));
        var table = new Table(
            "Layer by layer; the bar is dense time over packed time, the solid line is 1× (dense), the dotted line the pattern's "
            + "group / keep",
            new Column("Layer"), new Column("M × N × K", "number"), new Column("Pattern"), new Column("Kernel"),
            new Column("Dense", "number"), new Column("Packed", "number"), new Column("GFLOP/s useful", "number"), new Column("", "chart"),
            new Column("Ratio", "number"));
        foreach (LayerSpeedInfo layer in speed.Layers)
            table.RowOf(layer.Ratio < 1 ? "slow" : "",
                Markup.Of($"""<code>{layer.Name}</code> <span class="sub">{layer.Op}</span>"""), Words.Text(Words.MatrixSize(layer.M, layer.N, layer.K)),
                Markup.Of($"{layer.Pattern} {layer.Dtype}"), Words.Code(layer.Kernel),
                Words.Text($"{Figures.Significant(layer.DenseUs)} µs"), Words.Text($"{Figures.Significant(layer.PackedUs)} µs"),
                Words.Text(Figures.Significant(layer.UsefulGflops)),
                Bars.Bar(layer.Ratio, most, layer.Ratio < 1 ? "slow" : "packed", (1, "one"), (Words.Ideal(layer.Pattern) ?? 0, "ideal")),
                Markup.Of($"""{Figures.Ratio(layer.Ratio)}{(layer.Ratio < 1 ? Markup.Of($""" <span class="badge warn">slower</span>""") : Markup.Empty)}"""));
        return table.Render();
    }

    private static Markup StayDense(LayerInfo[] layers)
    {
        var table = new Table(
            "Layers that stay dense and run ONNX Runtime's own kernels", new Column("Layer"), new Column("Shape"), new Column("Why"));
        foreach (LayerInfo layer in layers)
            table.Row(Markup.Of($"""<code>{layer.Name}</code> <span class="sub">{layer.Op}</span>"""), Markup.Of($"""<span class="keep">{layer.Shape}</span>"""), Words.Text(layer.Reason ?? "no reason was recorded"));
        return table.Render();
    }
}
