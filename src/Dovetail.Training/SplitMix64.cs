namespace Dovetail.Training;

/// <summary>
/// A small generator whose state is one number, so that every epoch and every step has its own,
/// derived from the seed: a resumed training draws what the uninterrupted one would have.
/// Source: Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014.
/// </summary>
internal struct SplitMix64(ulong state)
{
    private ulong _state = state;

    /// <summary>A generator for one purpose at one time.</summary>
    public static SplitMix64 For(int seed, Purpose purpose, int index)
    {
        var mixer = new SplitMix64((uint)seed | ((ulong)purpose << 32));
        return new SplitMix64(mixer.Next() ^ ((ulong)(uint)index * 0x9E3779B97F4A7C15));
    }

    public ulong Next()
    {
        ulong z = _state += 0x9E3779B97F4A7C15;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }

    /// <summary>Uniform in [0, 1).</summary>
    public double NextDouble() => (Next() >> 11) * (1.0 / (1UL << 53));

    /// <summary>0 … count − 1 in random order (Fisher and Yates).</summary>
    public int[] Permutation(int count)
    {
        int[] order = [.. Enumerable.Range(0, count)];
        for (int i = count - 1; i > 0; i--)
        {
            int j = (int)(Next() % (ulong)(i + 1));
            (order[i], order[j]) = (order[j], order[i]);
        }

        return order;
    }
}

internal enum Purpose : uint
{
    ValidationSplit = 1,
    Shuffle,
    Augmentation,
    StaticOwners,
    TorchGenerator,
}
