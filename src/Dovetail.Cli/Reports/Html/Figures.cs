using System.Globalization;

namespace Dovetail.Cli.Reports.Html;

/// <summary>How figures read: three significant digits and a unit for quantities, all digits for counts, "–" for what is not a
/// number.</summary>
internal static class Figures
{
    public const string Missing = "–";

    /// <summary>0.9187 → "91.87 %".</summary>
    public static string Percent(double share, int digits = 2) =>
        double.IsFinite(share) ? Fixed(share * 100, digits) + " %" : Missing;

    /// <summary>0.9375 → "93.75 %", 0.5 → "50 %": as many digits as it takes, up to two.</summary>
    public static string ShortPercent(double share) =>
        double.IsFinite(share) ? Invariant(Math.Round(share * 100, 2), "0.##") + " %" : Missing;

    /// <summary>A difference of two shares: −0.0091 → "−0.91 points".</summary>
    public static string Points(double difference)
    {
        if (!double.IsFinite(difference))
            return Missing;
        string text = Fixed(Math.Abs(difference * 100), 2);
        return text == "0.00" ? "±0 points" : $"{(difference < 0 ? "−" : "+")}{text} points";
    }

    /// <summary>9.64 → "9.64×", 11.83 → "11.8×".</summary>
    public static string Ratio(double ratio) => double.IsFinite(ratio) ? Significant(ratio) + "×" : Missing;

    /// <summary>The ratio of two quantities, not a number where the second is zero.</summary>
    public static double Over(double dividend, double divisor) => divisor == 0 ? double.NaN : dividend / divisor;

    /// <summary>1234567 → "1,234,567".</summary>
    public static string Count(long count) => count.ToString("N0", CultureInfo.InvariantCulture).Replace('-', '−');

    /// <summary>Decimal units: 1,487,213 → "1.49 MB".</summary>
    public static string Bytes(long bytes) => Scaled(bytes, ["B", "kB", "MB", "GB", "TB"]);

    /// <summary>Picojoules up to joules.</summary>
    public static string Energy(double picojoules) => Scaled(picojoules, ["pJ", "nJ", "µJ", "mJ", "J"]);

    /// <summary>Seconds, minutes from 100 s on.</summary>
    public static string Seconds(double seconds) => !double.IsFinite(seconds) ? Missing
        : seconds < 100 ? Significant(seconds) + " s"
        : $"{(long)seconds / 60} min {(long)seconds % 60:00} s";

    /// <summary>Three significant digits with thousands separators: 0.00123, 1.23, 12.3, 1,234.</summary>
    public static string Significant(double value)
    {
        if (!double.IsFinite(value))
            return Missing;
        if (value == 0)
            return "0";
        // rounded first, so that 9.996 counts as 10.0
        double size = double.Parse(Invariant(Math.Abs(value), "E2"), CultureInfo.InvariantCulture);
        if (size is < 1e-3 or >= 1e12)
            return Invariant(value, "0.##e+0").Replace('-', '−');
        int digits = Math.Clamp(2 - (int)Math.Floor(Math.Log10(size)), 0, 5);
        return Fixed(value, digits);
    }

    /// <summary>Ticks of a small scale: 0.6, 0.25, 0.125.</summary>
    public static string UpToThreeDecimals(double value) => double.IsFinite(value) ? Invariant(value, "0.###").Replace('-', '−') : Missing;

    /// <summary>A length inside a drawing: at most two decimals, no unit.</summary>
    public static string Length(double value) => Invariant(double.IsFinite(value) ? value : 0, "0.##");

    private static string Scaled(double value, string[] units)
    {
        if (!double.IsFinite(value))
            return Missing;
        int unit = 0;
        for (; Math.Abs(value) >= 999.5 && unit < units.Length - 1; unit++)
            value /= 1000;
        return $"{(unit == 0 && value == Math.Floor(value) ? Fixed(value, 0) : Significant(value))} {units[unit]}";
    }

    private static string Fixed(double value, int digits) => Invariant(value, "N" + digits).Replace('-', '−');

    private static string Invariant(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);
}
