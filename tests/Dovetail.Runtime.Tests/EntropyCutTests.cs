namespace Dovetail.Runtime.Tests;

/// <summary>Where calibration by entropy cuts: <see cref="EntropyCut"/>.</summary>
public sealed class EntropyCutTests
{
    [Fact]
    public void Even_values_are_not_cut_and_a_few_far_ones_are()
    {
        var even = new long[EntropyCut.Bins];
        Array.Fill(even, 10);
        Assert.InRange(EntropyCut.Find(even), 0.9f, 1f);

        // a bell of 1 % of the width, and three values at the far end
        var bell = new long[EntropyCut.Bins];
        for (int i = 0; i < 300; i++)
            bell[i] = (long)(100_000 * Math.Exp(-i * i / 8000.0));
        bell[^1] = 3;
        Assert.InRange(EntropyCut.Find(bell), 0.06f, 0.5f);
        Assert.Equal(1, EntropyCut.Find(new long[EntropyCut.Bins]));
    }

    [Fact]
    public void Zeros_are_not_counted()
    {
        var counts = new long[EntropyCut.Bins];
        EntropyCut.Count(counts, 2, [0, 0, 0, 2, -1, 0.5f]);
        Assert.Equal((3, 1, 1), (counts.Sum(), counts[^1], counts[EntropyCut.Bins / 2]));
    }
}
