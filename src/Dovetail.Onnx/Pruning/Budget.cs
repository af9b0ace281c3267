using System.Globalization;

namespace Dovetail.Onnx.Pruning;

/// <summary>
/// A bound on cost: a share of what the dense network costs ("6.25%", "0.0625"), or so many units ("1.5M", "300k", "420").
/// Units are multiply-accumulates, bytes or microseconds.
/// </summary>
public sealed record Budget(double Value, bool IsShare)
{
    /// <returns>Null where the text is no budget.</returns>
    public static Budget? Parse(string text)
    {
        bool percent = text.EndsWith('%');
        double factor = text.Length == 0 ? 1 : text[^1] switch { '%' => 0.01, 'k' => 1e3, 'M' => 1e6, 'G' => 1e9, _ => 1 };
        ReadOnlySpan<char> digits = factor == 1 ? text : text.AsSpan(0, text.Length - 1);
        if (!double.TryParse(digits, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double number) || !(number > 0)
            || !double.IsFinite(number))
            return null;
        bool share = percent || (factor == 1 && number <= 1);
        return share && number * factor > 1 ? null : new Budget(number * factor, share);
    }

    /// <param name="denseCost">Of the whole network, in the unit of the answer.</param>
    /// <param name="unitsPerNumber">How many units of cost one unit of the text is.</param>
    public long In(long denseCost, double unitsPerNumber) =>
        (long)Math.Min(long.MaxValue / 2, Math.Floor(IsShare ? Value * denseCost : Value * unitsPerNumber));
}
