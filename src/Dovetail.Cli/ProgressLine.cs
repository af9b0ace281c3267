using Spectre.Console;

namespace Dovetail.Cli;

/// <summary>One progress bar with elapsed and remaining time; silent where there is no terminal.</summary>
internal static class ProgressLine
{
    /// <param name="steps">How many times <c>step</c> will be called.</param>
    /// <param name="work">Calls its argument after each step, with a word on what was done.</param>
    public static void Run(IAnsiConsole console, string title, double steps, Action<Action<string>> work) =>
        Columns(console).Start(context =>
        {
            ProgressTask task = context.AddTask(title, maxValue: Math.Max(steps, 1));
            work(what =>
            {
                task.Description = Markup.Escape($"{title}: {what}");
                task.Increment(1);
            });
            task.Value = task.MaxValue;
        });

    /// <summary>As <see cref="Run"/> for work that reports the share done, 0 to 1.</summary>
    public static T RunShare<T>(IAnsiConsole console, string title, Func<IProgress<double>, T> work) =>
        Columns(console).Start(context =>
        {
            ProgressTask task = context.AddTask(title, maxValue: 1);
            T result = work(new ImmediateProgress<double>(share => task.Value = share));
            task.Value = task.MaxValue;
            return result;
        });

    /// <summary>The columns of every progress display.</summary>
    public static Progress Columns(IAnsiConsole console) => console.Progress().Columns(
        new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn(), new PercentageColumn(),
        new ElapsedTimeColumn(), new RemainingTimeColumn());
}
