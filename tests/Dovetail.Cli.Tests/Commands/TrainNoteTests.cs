using Dovetail.Cli.Commands;
using Dovetail.Core.Patterns;
using Dovetail.Training;
using Dovetail.Training.Sparsity;

namespace Dovetail.Cli.Tests.Commands;

/// <summary><c>dovetail train</c> says where a growing sparsity has too few steps; nothing is trained here.</summary>
public sealed class TrainNoteTests
{
    /// <summary>Counted on the schedule itself: updates at which the density falls.</summary>
    [Theory]
    [InlineData(6_000, 1)]
    [InlineData(6_000, 4)]
    [InlineData(6_000, 7)]
    [InlineData(60_000, 3)]
    [InlineData(1_000, 12)]
    public void Updates_are_those_at_which_the_density_falls(int images, int epochs)
    {
        TrainingOptions options = Options(epochs);
        int steps = options.Steps(images), updates = 0;
        Assert.Equal((images - options.ValidationCount(images)) / 128 * epochs, steps);
        var schedule = new DensitySchedule(1.0 / 16, steps);
        double density = 1;
        for (int step = 0; step < 2 * steps; step += options.MaskInterval)
            if (schedule.At(step) < density)
                (updates, density) = (updates + 1, schedule.At(step));
        Assert.Equal(updates, options.GrowthUpdates(images));
    }

    [Fact]
    public void A_short_training_is_told_how_long_would_do()
    {
        string note = TrainCommand.NoteOnLength(Options(1), 6_000)!;
        Assert.Contains("In 42 steps the density falls to 6.25% in 2 updates of the masks", note);
        int enough = int.Parse(
            System.Text.RegularExpressions.Regex.Match(note, "--epochs ([0-9]+) or more").Groups[1].Value,
            System.Globalization.CultureInfo.InvariantCulture);
        Assert.Null(TrainCommand.NoteOnLength(Options(enough), 6_000));
        Assert.NotNull(TrainCommand.NoteOnLength(Options(enough - 1), 6_000));
        Assert.Null(TrainCommand.NoteOnLength(Options(1) with { Method = TrainingMethod.Dense }, 6_000));
        Assert.Null(TrainCommand.NoteOnLength(Options(3), 60_000)); // what codesign and train do by default
    }

    private static TrainingOptions Options(int epochs) => new()
    {
        Method = TrainingMethod.Growing,
        Pattern = new ComplementaryPattern(1, 16),
        Epochs = epochs,
    };
}
