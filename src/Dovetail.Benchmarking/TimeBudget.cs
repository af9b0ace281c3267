namespace Dovetail.Benchmarking;

/// <summary>Shares the time that several measurements may take together between them; the clock runs from here on.</summary>
/// <param name="seconds">Null: nothing bounds them, and each measurement takes its usual time.</param>
public sealed class TimeBudget(double? seconds, TimeProvider clock)
{
    private readonly long _start = clock.GetTimestamp();

    /// <summary>One of <paramref name="parts"/> equal parts of what is left, in seconds; 0 where nothing is.</summary>
    /// <param name="usual">Where nothing bounds them.</param>
    public double Share(int parts, double usual) =>
        seconds is { } all ? Math.Max(0, all - clock.GetElapsedTime(_start).TotalSeconds) / parts : usual;
}
