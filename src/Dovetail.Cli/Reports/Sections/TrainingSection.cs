using Dovetail.Cli.Reports.Charts;
using Dovetail.Cli.Reports.Html;
using Dovetail.Cli.Reports.Results;

namespace Dovetail.Cli.Reports.Sections;

/// <summary>Both runs epoch by epoch: accuracy, loss, density and how many owners still change.</summary>
internal static class TrainingSection
{
    public static Section Render(CodesignResult result)
    {
        (TrainingInfo dense, TrainingInfo packed) = (result.Training.Dense, result.Training.Complementary);
        return new Section("training", "Training", Markup.Of(
            $"""
            <p>Both runs start from seed {result.Seed} and see the same {Words.Plural(result.Data.TrainImages, "training image")}; accuracy below is on {Words.Plural(result.Data.ValidationImages, "validation image")} held out of them. {Run("Dense", dense)} {Run("Complementary", packed)}</p>
            {(dense.History.Count + packed.History.Count == 0 ? Markup.Of($"""<p class="empty">No epoch was recorded: the weights came from a file, so there are no curves.</p>""") : Curves(dense, packed))}
            """));
    }

    private static string Run(string name, TrainingInfo run)
    {
        string told = run.History.Count == 0
            ? $"{name} ({run.Method}): no epoch."
            : $"{name} ({run.Method}): {Words.Plural(run.History.Count, "epoch")} in {Figures.Seconds(run.Seconds)}.";
        return run.Interrupted
            ? $"{told} It was interrupted after {run.History.Count} of {run.Epochs} epochs; the last checkpoint is what was used."
            : told;
    }

    private static Markup Curves(TrainingInfo dense, TrainingInfo packed) => Markup.Of(
        $"""
        <div class="charts">
        {Chart("Validation accuracy", dense, packed, epoch => epoch.ValidationAccuracy, Figures.ShortPercent)}
        {Chart("Training loss", dense, packed, epoch => epoch.Loss, Figures.UpToThreeDecimals)}
        {Chart("Density of the covered layers", null, packed, epoch => epoch.Density, Figures.ShortPercent, (0, 1))}
        {Chart("Owners that changed during the epoch", null, packed, epoch => epoch.OwnerTurnover, Figures.ShortPercent)}
        </div>
        <details><summary>Figures of every epoch</summary>
        {Epochs(dense, packed)}
        </details>
        """);

    private static Markup Chart(
        string title, TrainingInfo? dense, TrainingInfo packed, Func<EpochInfo, double> figure, Func<double, string> format,
        (double, double)? limits = null)
    {
        LineSeries[] series = [.. Series("dense", "dense", dense, figure), .. Series("complementary", "packed", packed, figure)];
        string summary = $"{title} by epoch. " + string.Join(" ", series.Where(line => line.Points.Count > 0).Select(line =>
            $"{line.Name}: {format(line.Points[0].Y)} at epoch {line.Points[0].X}, {format(line.Points[^1].Y)} at epoch "
            + $"{line.Points[^1].X}."));
        return Markup.Of($"""<figure><figcaption>{title}</figcaption>{LineChart.Render(summary, "epoch", series, format, limits)}</figure>""");
    }

    private static IEnumerable<LineSeries> Series(string name, string tone, TrainingInfo? run, Func<EpochInfo, double> figure) =>
        run is null ? [] : [new LineSeries(name, tone, [.. run.History.Select(epoch => (epoch.Epoch, figure(epoch)))])];

    private static Markup Epochs(TrainingInfo dense, TrainingInfo packed)
    {
        var table = new Table("Every epoch of both runs",
            new Column("Run and epoch"), new Column("Loss", "number"), new Column("Training accuracy", "number"),
            new Column("Validation accuracy", "number"), new Column("Density", "number"), new Column("Owners changed", "number"),
            new Column("Time", "number"));
        foreach ((string name, TrainingInfo run) in new[] { ("dense", dense), ("complementary", packed) })
            foreach (EpochInfo epoch in run.History)
                table.Row(Words.Text($"{name} {epoch.Epoch}"), Words.Text(Figures.Significant(epoch.Loss)), Words.Text(
                    Figures.Percent(epoch.TrainAccuracy)),
                    Words.Text(Figures.Percent(epoch.ValidationAccuracy)), Words.Text(Figures.ShortPercent(epoch.Density)),
                    Words.Text(Figures.ShortPercent(epoch.OwnerTurnover)), Words.Text(Figures.Seconds(epoch.Seconds)));
        return table.Render();
    }
}
