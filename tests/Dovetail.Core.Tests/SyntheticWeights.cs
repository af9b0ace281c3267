using Dovetail.Core.Packing;
using Dovetail.Core.Patterns;

namespace Dovetail.Core.Tests;

/// <summary>Seeded Gaussian weights.</summary>
internal static class SyntheticWeights
{
    public static float[] Gaussian(int count, int seed)
    {
        var random = new Random(seed);
        var weights = new float[count];
        for (int i = 0; i < count; i++)
            weights[i] = (float)(Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(Math.Tau * random.NextDouble()));
        return weights;
    }

    /// <summary>Gaussian weights, projected by magnitude and packed.</summary>
    public static PackedTensor<float> Packed(CellLayout layout, int seed)
    {
        float[] weights = Gaussian(layout.Shape.Count, seed);
        bool[] mask = Projection.Project(Array.ConvertAll(weights, Math.Abs), layout);
        for (int i = 0; i < weights.Length; i++)
            if (!mask[i])
                weights[i] = 0;
        return Packer.Pack<float>(weights, layout, mask);
    }
}
