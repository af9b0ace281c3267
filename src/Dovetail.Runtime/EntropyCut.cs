namespace Dovetail.Runtime;

/// <summary>
/// Where to cut a histogram of magnitudes so that few levels say most of it.
/// 1. For each cut at i bins, P is the first i bins, with all that lies beyond added to the last.
/// 2. Q is the first i bins in <see cref="Levels"/> equal pieces: each non-empty bin of a piece gets the mean of the piece's non-empty
/// ones.
/// 3. The cut with the least Σ P·ln(P/Q) is taken, both scaled to 1.
/// </summary>
internal static class EntropyCut
{
    public const int Bins = 2048;

    private const int Levels = 128, Step = 8;

    /// <summary>Counts magnitudes; zeros are left out, as every range holds them exactly and their number would outweigh all
    /// else.</summary>
    public static void Count(long[] counts, float greatest, ReadOnlySpan<float> values)
    {
        double scale = greatest > 0 ? Bins / (double)greatest : 0;
        foreach (float value in values)
            if (value != 0)
                counts[Math.Min((int)(Math.Abs(value) * scale), Bins - 1)]++;
    }

    /// <returns>The share of the greatest magnitude at which to cut, above 0.</returns>
    public static float Find(long[] counts)
    {
        double total = counts.Sum(), best = double.PositiveInfinity;
        if (total == 0)
            return 1;
        int cut = Bins;
        for (int bins = Levels; bins <= Bins; bins += Step)
        {
            double divergence = Divergence(counts, bins, total);
            if (divergence < best)
                (best, cut) = (divergence, bins);
        }

        return (float)cut / Bins;
    }

    private static double Divergence(long[] counts, int bins, double total)
    {
        long beyond = counts.AsSpan(bins).ToArray().Sum();
        var levels = new double[bins];
        double kept = 0;
        for (int level = 0; level < Levels; level++)
        {
            int first = (int)((long)level * bins / Levels), last = (int)((level + 1L) * bins / Levels), used = 0;
            double sum = 0;
            for (int i = first; i < last; i++)
            {
                sum += counts[i];
                used += counts[i] > 0 ? 1 : 0;
            }

            for (int i = first; i < last; i++)
                levels[i] = counts[i] > 0 ? sum / used : 0;
            kept += sum;
        }

        if (kept == 0)
            return double.PositiveInfinity;
        double divergence = 0;
        for (int i = 0; i < bins; i++)
        {
            double p = (counts[i] + (i == bins - 1 ? beyond : 0)) / total, q = levels[i] / kept;
            if (p > 0)
                divergence += q > 0 ? p * Math.Log(p / q) : p * Math.Log(p * 1e9); // nothing of Q where P has something
        }

        return divergence;
    }
}
