namespace Dovetail.Cli.Terminal;

/// <summary>
/// Progress where there is no terminal to draw a bar on: a line for every tenth of a task, at most one in two seconds, so that short
/// work says nothing; and one after half a minute without, so that long work is seen to live.
/// </summary>
/// <param name="write">Takes a line.</param>
internal sealed class ProgressLog(Action<string> write, TimeProvider time)
{
    private const double StepPercent = 10;

    private static readonly TimeSpan s_least = TimeSpan.FromSeconds(2), s_silence = TimeSpan.FromSeconds(30);

    private readonly Dictionary<int, int> _steps = [];
    private readonly Lock _lock = new();
    private long _last = time.GetTimestamp();

    /// <summary>To be called several times a second.</summary>
    /// <param name="task">Its number.</param>
    /// <param name="description">What is being done, without markup.</param>
    /// <param name="percentage">0 to 100.</param>
    public void Update(int task, string description, double percentage)
    {
        lock (_lock)
        {
            int step = (int)(percentage / StepPercent);
            TimeSpan since = time.GetElapsedTime(_last);
            if (since < s_least || (step <= _steps.GetValueOrDefault(task) && since < s_silence))
                return;
            _steps[task] = step;
            _last = time.GetTimestamp();
            write($"{description}: {percentage:0}%");
        }
    }
}
