using Dovetail.Cli.Reports.Html;
using Dovetail.Cli.Reports.Results;

namespace Dovetail.Cli.Reports.Sections;

/// <summary>The story in one sentence, and the key figures.</summary>
internal static class HeaderSection
{
    public static Markup Render(CodesignResult result)
    {
        AccuracyInfo accuracy = result.Accuracy;
        AcceleratorInfo array = result.Accelerator;
        double size = Figures.Over(result.Bytes.Dense, result.Bytes.Packed);
        return Markup.Of(
            $"""
            <header>
            <p class="eyebrow">Dovetail codesign · <code>{result.Model.Name}</code> on <code>{result.Data.Name}</code> · pattern <code>{result.Pattern}</code> · seed {result.Seed}</p>
            <h1>{Figures.Percent(accuracy.Complementary, 1)} accuracy with {Words.Kept(result.Pattern)} of the packed layers</h1>
            <p class="lead">Trained dense, the network reaches <b>{Figures.Percent(accuracy.Dense)}</b> on {Words.Plural(result.Data.TestImages, "test image")}; trained with complementary cells that are {Figures.ShortPercent(result.Sparsity)} zeros, <b>{Figures.Percent(accuracy.Complementary)}</b>. Packed, its file is <b>{Words.Smaller(size)}</b>, it runs <b>{Words.Faster(result.Speed.NetworkRatio)}</b> on this CPU than the dense network in ONNX Runtime, and a {array.Rows}×{array.Cols} systolic array needs <b>{Cycles(array.Speedup)}</b>: {Figures.Ratio(array.ThroughputPerArea)} the throughput per area.</p>
            <dl class="tiles">
            {Tile("Test accuracy, packed", Figures.Percent(accuracy.Packed), $"{Figures.Points(accuracy.Packed - accuracy.Dense)} to dense")}
            {Tile("Test accuracy, packed int8", Figures.Percent(accuracy.Int8), $"{Figures.Points(accuracy.Int8 - accuracy.Dense)} to dense fp32")}
            {Tile("Weights left", Figures.Count(result.Model.NonZeroWeights), $"of {Figures.Count(result.Model.Weights)}")}
            {Tile("Model file", Figures.Ratio(size), $"{Figures.Bytes(result.Bytes.Dense)} → {Figures.Bytes(result.Bytes.Packed)}; int8 {Figures.Bytes(result.Bytes.PackedInt8)}")}
            {Tile("CPU speed-up", Figures.Ratio(result.Speed.NetworkRatio), $"{Figures.Significant(result.Speed.DenseMs)} → {Figures.Significant(result.Speed.PackedMs)} ms, batch {result.Speed.Batch}, {Words.Plural(result.Speed.Threads, "thread")}")}
            {Tile("Array cycles", Figures.Ratio(array.Speedup), $"{Figures.Count(array.DenseCycles)} → {Figures.Count(array.ComplementaryCycles)}")}
            {Tile("Throughput per area", Figures.Ratio(array.ThroughputPerArea), $"at {Figures.Ratio(array.RelativeArea)} the dense array's area (PEs, estimate)")}
            {Tile("Executions that agree", $"{result.Equality.Count(Agrees)} of {result.Equality.Count}", $"RTL: {result.Rtl.Status}")}
            </dl>
            </header>
            """);
    }

    private static bool Agrees(EqualityCheck check) => check.Status is "equal" or "within tolerance";

    private static string Cycles(double speedup) => speedup >= 1 || !double.IsFinite(speedup) || speedup <= 0
        ? $"{Figures.Ratio(speedup)} fewer cycles"
        : $"{Figures.Ratio(1 / speedup)} more cycles";

    private static Markup Tile(string name, string figure, string detail) => Markup.Of(
        $"""<div><dt>{name}</dt><dd class="figure">{figure}</dd><dd>{detail}</dd></div>""");
}
