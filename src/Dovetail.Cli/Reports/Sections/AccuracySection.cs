using Dovetail.Cli.Reports.Charts;
using Dovetail.Cli.Reports.Html;
using Dovetail.Cli.Reports.Results;

namespace Dovetail.Cli.Reports.Sections;

/// <summary>Test accuracy of every form of the network, as dots on one axis.</summary>
internal static class AccuracySection
{
    public static Section Render(CodesignResult result)
    {
        AccuracyInfo accuracy = result.Accuracy;
        (string Name, string Runs, double Value, string Tone)[] forms =
        [
            ("Dense", "fp32, plain ONNX Runtime", accuracy.Dense, "dense"),
            ("Complementary", "fp32, sparse ONNX, plain ONNX Runtime", accuracy.Complementary, "packed"),
            ("Packed", "fp32, our operators in ONNX Runtime", accuracy.Packed, "packed"),
            ("Dense int8", "QDQ, plain ONNX Runtime", accuracy.DenseInt8, "dense"),
            ("Complementary int8", "QDQ, plain ONNX Runtime", accuracy.SparseInt8, "int8"),
            ("Packed int8", "our operators in ONNX Runtime", accuracy.Int8, "int8"),
        ];
        double[] finite = [.. forms.Select(form => form.Value).Where(double.IsFinite)];
        AxisTicks axis = finite.Length == 0 ? AxisTicks.Cover(0, 1) : AxisTicks.Cover(finite.Min() - 0.002, finite.Max());
        var table = new Table(
            $"Test accuracy on {Figures.Count(result.Data.TestImages)} images; the axis of the dots does not start at zero",
            new Column("Network"), new Column($"{Figures.ShortPercent(axis.Minimum)} to {Figures.ShortPercent(axis.Maximum)}", "chart"),
            new Column("Accuracy", "number"), new Column("To dense", "number"));
        foreach ((string name, string runs, double value, string tone) in forms)
            table.Row(Markup.Of($"""{name} <span class="reason">{runs}</span>"""), Bars.Dot(value, axis, tone), Words.Text(Figures.Percent(value)),
                Words.Text(name == "Dense" ? "" : Figures.Points(value - accuracy.Dense)));
        double error = Math.Sqrt(accuracy.Dense * (1 - accuracy.Dense) / Math.Max(1, result.Data.TestImages));
        return new Section("accuracy", "Accuracy", Markup.Of(
            $"""
            <p>Two networks, six executions. All were tested on the same {Words.Plural(result.Data.TestImages, "image")}, which no training step and no choice of a checkpoint has seen; with so many, one standard error is {Figures.Significant(error * 100)} points. int8 is quantized after training, calibrated on training images.</p>
            {table.Render()}
            """));
    }
}
