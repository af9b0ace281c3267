using Spectre.Console;

namespace Dovetail.Cli.Terminal;

/// <summary>One progress bar with elapsed and remaining time; where there is no terminal, a line now and then
/// (<see cref="ProgressLog"/>).</summary>
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
    public static Progress Columns(IAnsiConsole console) => On(console).Columns(
        new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn(), new PercentageColumn(),
        new ElapsedTimeColumn(), new RemainingTimeColumn());

    /// <summary>
    /// A progress display whose columns the caller chooses. Without a terminal it is drawn where nobody sees it, for its tasks are told
    /// to what draws it; the lines go to <paramref name="console"/>.
    /// </summary>
    public static Progress On(IAnsiConsole console)
    {
        if (console.Profile.Capabilities is { Interactive: true, Ansi: true })
            return console.Progress();
        var log = new ProgressLog(console.WriteLine, TimeProvider.System);
        IAnsiConsole unseen = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = AnsiSupport.Yes,
            Interactive = InteractionSupport.Yes,
            Out = new AnsiConsoleOutput(TextWriter.Null),
        });
        return unseen.Progress().UseRenderHook((drawing, tasks) =>
        {
            foreach (ProgressTask task in tasks.Where(task => task.IsStarted && !task.IsFinished))
                log.Update(task.Id, Markup.Remove(task.Description), task.Percentage);
            return drawing;
        });
    }
}
