namespace Dovetail.Kernels.Broadcast;

/// <summary>Columns (tap, channel) of a convolution group that are turned into rows of pixels together: some taps × a range of
/// channels.</summary>
internal readonly record struct ColumnBlock(int FirstTap, int Taps, int FirstChannel, int Channels)
{
    public int Columns => Taps * Channels;

    /// <summary>
    /// Cuts taps × channels into blocks of at most <paramref name="most"/> columns and nearly equal size: whole taps, or parts
    /// of one where it has more channels than that.
    /// </summary>
    public static ColumnBlock[] Cut(int taps, int channels, int most)
    {
        var blocks = new List<ColumnBlock>();
        if (channels > most)
        {
            int parts = (channels + most - 1) / most, step = ((channels + parts - 1) / parts + 3) / 4 * 4;
            for (int tap = 0; tap < taps; tap++)
                for (int channel = 0; channel < channels; channel += step)
                    blocks.Add(new ColumnBlock(tap, 1, channel, Math.Min(step, channels - channel)));
        }
        else
        {
            int tapsAtMost = most / channels, parts = (taps + tapsAtMost - 1) / tapsAtMost;
            for (int part = 0; part < parts; part++)
                blocks.Add(new ColumnBlock(taps * part / parts, taps * (part + 1) / parts - taps * part / parts, 0, channels));
        }

        return [.. blocks];
    }
}
