using Dovetail.Cli.Reports.Charts;
using Dovetail.Cli.Reports.Html;
using Dovetail.Cli.Reports.Results;

namespace Dovetail.Cli.Reports.Sections;

/// <summary>Bytes of the files and of the covered layers' weights, and what the output folder holds.</summary>
internal static class SizeSection
{
    public static Section Render(CodesignResult result)
    {
        BytesInfo bytes = result.Bytes;
        Markup files = Sizes("Whole files, biases, norms and graph included", bytes.Dense,
            ("Dense ONNX", bytes.Dense, "dense"), ("Sparse ONNX (zeros stored)", bytes.Sparse, "dense"),
            ("Packed ONNX", bytes.Packed, "packed"),
            ("Packed safetensors", bytes.PackedSafetensors, "packed"), ("Dense ONNX, int8", bytes.DenseInt8, "dense"),
            ("Packed ONNX, int8", bytes.PackedInt8, "int8"));
        Markup weights = Sizes("Weights of the covered layers alone, owners included", bytes.WeightsDense,
            ("Dense fp32", bytes.WeightsDense, "dense"), ("Packed fp32", bytes.WeightsPacked, "packed"),
            ("Packed int8", bytes.WeightsPackedInt8, "int8"));
        var folder = new Table("The output folder", new Column("File"), new Column("Size", "number"), new Column("What it is"));
        foreach (OutputFile file in result.Files)
            folder.Row(Words.Code(file.Name), Words.Text(Figures.Bytes(file.Bytes)), Words.Text(file.Description));
        return new Section("size", "Size", Markup.Of(
            $"""
            <p>A packed layer stores the values that are kept and, for each, its owner: the position inside the cell.</p>
            {files}
            {weights}
            {(result.Files.Count == 0 ? Markup.Empty : folder.Render())}
            """));
    }

    private static Markup Sizes(string caption, long dense, params ReadOnlySpan<(string Name, long Bytes, string Tone)> rows)
    {
        var table = new Table(
            caption, new Column("Form"), new Column("", "chart"), new Column("Size", "number"), new Column("Against dense", "number"));
        long most = 1;
        foreach ((_, long bytes, _) in rows)
            most = Math.Max(most, bytes);
        foreach ((string name, long bytes, string tone) in rows)
            table.Row(Words.Text(name), Bars.Bar(bytes, most, tone), Words.Text(Figures.Bytes(bytes)),
                Words.Text(bytes == dense ? "" : Words.Smaller(Figures.Over(dense, bytes))));
        return table.Render();
    }
}
