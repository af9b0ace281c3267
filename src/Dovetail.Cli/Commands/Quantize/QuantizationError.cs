using Dovetail.Data.Tensors;

namespace Dovetail.Cli.Commands.Quantize;

/// <summary>How far outputs of an int8 model are from those of the fp32 one.</summary>
internal static class QuantizationError
{
    private const int MostClasses = 100_000;

    /// <summary>In dB; infinite where they are equal, or where there are not as many.</summary>
    public static double SignalToNoise(IReadOnlyList<FileTensor> expected, IReadOnlyList<FileTensor> found)
    {
        double signal = 0, noise = 0;
        foreach ((FileTensor right, FileTensor wrong) in expected.Zip(found))
        {
            if (right.Values.LongLength != wrong.Values.LongLength)
                return double.NegativeInfinity; // how many results there are depends on them
            foreach ((float e, float f) in right.ToFloats().Zip(wrong.ToFloats()))
            {
                signal += (double)e * e;
                noise += ((double)e - f) * ((double)e - f);
            }
        }

        return noise == 0 ? double.PositiveInfinity : 10 * Math.Log10(signal / noise);
    }

    /// <summary>The share of rows whose greatest output is the same; null where the outputs are no rows of classes.</summary>
    public static double? Agreement(IReadOnlyList<FileTensor> expected, IReadOnlyList<FileTensor> found)
    {
        int same = 0, rows = 0;
        foreach ((FileTensor right, FileTensor wrong) in expected.Zip(found))
        {
            long count = right.Shape.Length > 0 ? right.Shape[0] : 0, classes = count > 0 ? right.Values.LongLength / count : 0;
            if (classes is < 2 or > MostClasses)
                return null;
            if (right.Values.LongLength != wrong.Values.LongLength)
                return null;
            (float[] e, float[] f) = (right.ToFloats(), wrong.ToFloats());
            for (int row = 0; row < count; row++, rows++)
                if (Greatest(e.AsSpan((int)(row * classes), (int)classes)) == Greatest(f.AsSpan((int)(row * classes), (int)classes)))
                    same++;
        }

        return rows == 0 ? null : (double)same / rows;
    }

    private static int Greatest(ReadOnlySpan<float> values)
    {
        int best = 0;
        for (int i = 1; i < values.Length; i++)
            if (values[i] > values[best])
                best = i;
        return best;
    }
}
