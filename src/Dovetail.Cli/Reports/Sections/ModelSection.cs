using Dovetail.Cli.Reports.Html;
using Dovetail.Cli.Reports.Results;

namespace Dovetail.Cli.Reports.Sections;

/// <summary>Every layer with weights: its shape, its pattern or the reason why it has none, its bytes.</summary>
internal static class ModelSection
{
    public static Section Render(CodesignResult result)
    {
        ModelInfo model = result.Model;
        var table = new Table("Layers with weights; N is the columns (pixels) of one input",
            new Column("Layer"), new Column("Shape"), new Column("M × N × K", "number"), new Column("Pattern"),
            new Column("Zeros", "number"),
            new Column("Dense", "number"), new Column("Packed", "number"), new Column("Packed int8", "number"));
        foreach (LayerInfo layer in model.Layers)
            table.RowOf(layer.Pattern is null ? "muted" : "",
                Markup.Of($"""<code>{layer.Name}</code> <span class="sub">{layer.Op}</span>"""), Markup.Of($"""<span class="keep">{layer.Shape}</span>"""),
                Words.Text(Words.MatrixSize(layer.M, layer.N, layer.K)),
                layer.Pattern is null ? Markup.Of($"""dense <span class="reason">{layer.Reason ?? "no reason was recorded"}</span>""") : Words.Text(layer.Pattern),
                Words.Text(Figures.ShortPercent(layer.Sparsity)),
                Words.Text(Figures.Bytes(layer.DenseBytes)), Words.Text(Figures.Bytes(layer.PackedBytes)),
                Words.Text(Figures.Bytes(layer.PackedInt8Bytes)));
        return new Section("model", "Model", Markup.Of(
            $"""
            <p><code>{model.Name}</code>: {Figures.Count(model.Weights)} weights, {Figures.Count(model.NonZeroWeights)} of them not zero; {Figures.Count(model.Macs)} multiply-accumulates an input dense, {Figures.Count(model.NonZeroMacs)} packed.</p>
            {(model.Layers.Count == 0 ? Markup.Empty : table.Render())}
            """));
    }
}
