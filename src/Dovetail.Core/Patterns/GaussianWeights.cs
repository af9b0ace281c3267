namespace Dovetail.Core.Patterns;

/// <summary>Independent standard normal numbers by the polar method (Marsaglia and Bray, 1964); equal seeds give equal numbers.</summary>
public static class GaussianWeights
{
    public static float[] Create(int count, int seed)
    {
        var random = new Random(seed);
        var weights = new float[count];
        for (int i = 0; i < count; i += 2)
        {
            double x, y, square;
            do
            {
                (x, y) = (2 * random.NextDouble() - 1, 2 * random.NextDouble() - 1);
                square = x * x + y * y;
            }
            while (square is >= 1 or 0);
            double factor = Math.Sqrt(-2 * Math.Log(square) / square);
            weights[i] = (float)(x * factor);
            if (i + 1 < count)
                weights[i + 1] = (float)(y * factor);
        }

        return weights;
    }
}
