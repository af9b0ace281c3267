using Dovetail.Training;
using Spectre.Console;

namespace Dovetail.Cli.Codesign;

/// <summary>The progress bars of a job: one a stage, added when the stage starts.</summary>
internal sealed class JobProgress(ProgressContext context)
{
    private readonly Dictionary<string, ProgressTask> _trainings = [];

    /// <summary>Moves the bar of a training and says where it stands.</summary>
    public void Training(string name, TrainingProgress progress)
    {
        if (!_trainings.TryGetValue(name, out ProgressTask? task))
            _trainings[name] = task = context.AddTask($"Train {name}", maxValue: Math.Max(progress.Steps, 1));
        task.Value = progress.Step;
        EpochRecord? epoch = progress.CompletedEpoch;
        task.Description = epoch is null
            ? $"Train {name}: epoch {progress.Epoch}/{progress.Epochs}, loss {progress.Loss:0.000}, density {progress.Density:0.0%}, "
                + $"{progress.ImagesPerSecond:N0} images/s"
            : $"Train {name}: epoch {epoch.Epoch}/{progress.Epochs}, loss {epoch.Loss:0.000}, validation accuracy "
                + $"{epoch.ValidationAccuracy:0.0%}";
    }

    /// <summary>Runs a stage of so many steps; <c>step</c> takes a word on what was done.</summary>
    public T Run<T>(string name, int steps, Func<Action<string>, T> stage)
    {
        ProgressTask task = context.AddTask(name, maxValue: Math.Max(steps, 1));
        T result = stage(what =>
        {
            task.Description = Markup.Escape($"{name}: {what}");
            task.Increment(1);
        });
        task.Description = Markup.Escape(name);
        task.Value = task.MaxValue;
        return result;
    }
}
