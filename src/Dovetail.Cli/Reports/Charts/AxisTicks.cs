namespace Dovetail.Cli.Reports.Charts;

/// <summary>
/// Round tick values that cover a range.
/// 1. The raw step is range / wanted; its power of ten p and its mantissa decide the step: 1, 2, 5 or 10 times p.
/// 2. Ticks run from the last multiple of the step at or below the minimum to the first at or above the maximum.
/// </summary>
internal sealed record AxisTicks(IReadOnlyList<double> Values, double Step)
{
    public double Minimum => Values[0];

    public double Maximum => Values[^1];

    /// <param name="minimum">Finite; with an equal maximum the range is widened around it.</param>
    /// <param name="wanted">About how many intervals, ≥ 1.</param>
    public static AxisTicks Cover(double minimum, double maximum, int wanted = 4)
    {
        if (maximum <= minimum)
        {
            double margin = minimum == 0 ? 0.5 : Math.Abs(minimum) * 0.1;
            (minimum, maximum) = (minimum - margin, minimum + margin);
        }

        double raw = (maximum - minimum) / wanted;
        double power = Math.Pow(10, Math.Floor(Math.Log10(raw)));
        double step = power * ((raw / power) switch { <= 1.0001 => 1, <= 2.0001 => 2, <= 5.0001 => 5, _ => 10 });
        double first = Math.Floor(minimum / step + 1e-9), last = Math.Ceiling(maximum / step - 1e-9);
        return new AxisTicks([.. Enumerable.Range(0, (int)(last - first) + 1).Select(i => (first + i) * step)], step);
    }

    /// <summary>Whole numbers from the first to the last, at most <paramref name="most"/> of them.</summary>
    public static IReadOnlyList<int> Whole(int first, int last, int most = 8)
    {
        int[] steps = [1, 2, 5];
        int step = 1;
        for (int i = 0; (last - first) / step + 1 > most; i++)
            step = steps[i % 3] * (int)Math.Pow(10, i / 3);
        return [.. Enumerable.Range(first, last - first + 1).Where(x => step == 1 || x % step == 0)];
    }
}
