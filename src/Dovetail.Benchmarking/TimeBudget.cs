namespace Dovetail.Benchmarking;

/// <summary>Shares the time that several measurements may take together between them; the clock runs from here on.</summary>
public sealed class TimeBudget
{
    private readonly double? _seconds;
    private readonly TimeProvider _clock;
    private readonly long _start;

    /// <param name="seconds">Null: nothing bounds them, and each measurement takes its usual time.</param>
    public TimeBudget(double? seconds, TimeProvider clock)
        : this(seconds, clock, clock.GetTimestamp())
    {
    }

    private TimeBudget(double? seconds, TimeProvider clock, long start) => (_seconds, _clock, _start) = (seconds, clock, start);

    /// <summary>For measurements that nothing bounds.</summary>
    public static TimeBudget Unbounded { get; } = new(null, TimeProvider.System);

    /// <summary>True where there is a bound: then measurements do with fewer runs, and what is not needed is left out.</summary>
    public bool IsBounded => _seconds is not null;

    /// <summary>Seconds that are left; infinite where nothing bounds them.</summary>
    public double Left =>
        _seconds is { } all ? Math.Max(0, all - _clock.GetElapsedTime(_start).TotalSeconds) : double.PositiveInfinity;

    /// <summary>What is left of the whole, 0 to 1.</summary>
    public double LeftShare => _seconds is { } all ? Left / all : 1;

    /// <summary>The same with some seconds kept for what comes afterwards.</summary>
    public TimeBudget Keeping(double seconds) => new(_seconds - seconds, _clock, _start);

    /// <summary>One of <paramref name="parts"/> equal parts of what is left, in seconds; 0 where nothing is.</summary>
    /// <param name="usual">Where nothing bounds them.</param>
    public double Share(int parts, double usual) => IsBounded ? Left / parts : usual;
}
