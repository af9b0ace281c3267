namespace Dovetail.Rtl.Synthesis;

/// <summary>
/// A Liberty lookup table: values over index_1 (delays: the output's load; constraints: the clock's slew) ×
/// index_2 (delays: the input's slew; constraints: the data's), interpolated bilinearly and, outside,
/// extrapolated from the nearest cell. This order of the axes is that of osu018 and osu035.
/// </summary>
internal sealed class DelayTable(double[] index1, double[] index2, double[] values)
{
    public static DelayTable From(LibertyGroup table)
    {
        double[] first = table.Numbers("index_1"), second = table.Numbers("index_2"), values = table.Numbers("values");
        if (values.Length == 0 || values.Length != Math.Max(1, first.Length) * Math.Max(1, second.Length))
            throw new FormatException($"a table '{table.Name}' has {values.Length} values for {first.Length}×{second.Length} points");
        return new DelayTable(first, second, values);
    }

    public double At(double first, double second)
    {
        (int row, double rowPart) = Place(index1, first);
        (int column, double columnPart) = Place(index2, second);
        int columns = Math.Max(1, index2.Length);
        int down = index1.Length > 1 ? columns : 0, right = index2.Length > 1 ? 1 : 0;
        int at = row * columns + column;
        double upper = values[at] + columnPart * (values[at + right] - values[at]);
        double lower = values[at + down] + columnPart * (values[at + down + right] - values[at + down]);
        return upper + rowPart * (lower - upper);
    }

    private static (int At, double Part) Place(double[] index, double value)
    {
        if (index.Length < 2)
            return (0, 0);
        int at = 0;
        while (at < index.Length - 2 && value > index[at + 1])
            at++;
        return (at, (value - index[at]) / (index[at + 1] - index[at]));
    }
}
