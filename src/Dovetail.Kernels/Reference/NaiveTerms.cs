using Dovetail.Core.Packing;
using Dovetail.Core.Patterns;

namespace Dovetail.Kernels.Reference;

/// <summary>One product of an output's sum: value · x[tap, channel].</summary>
/// <param name="Channel">Within the output's convolution group.</param>
internal readonly record struct NaiveTerm<T>(int Tap, int Channel, T Value);

/// <summary>
/// Packed weights read weight by weight, from the definition of the format alone (docs/format.md), by arithmetic of its own: what the
/// oracle multiplies must not come from the code that lays out kernels, nor from the layout that packs and unpacks.
/// For every weight W[m, tap, channel]:
/// 1. The entry e along the axis, of L: the channel (input axis), or the run of <c>share</c> outputs within its convolution group
///    (output axis). J = ⌈L / group⌉ cells stand there.
/// 2. Contiguous: e = j·group + i; strided: e = j + i·J. So the weight is candidate i of cell j.
/// 3. The weight is kept where a used slot s of that cell has owner i. Used are as many slots as the cell has candidates, at most
///    <c>keep</c>.
/// 4. The slot's place. Input axis: column (tap·J + j)·keep + s, of value row m and of the run's owner row. Output axis: column
///    tap·channels + channel, owner row (g·J + j)·keep + s, value row (owner row)·share + the output's place in its run.
/// </summary>
internal static class NaiveTerms
{
    /// <returns>Of each output.</returns>
    public static NaiveTerm<T>[][] Read<T>(PackedTensor<T> weights)
        where T : unmanaged
    {
        (int keep, int group, int share) = (weights.Pattern.Keep, weights.Pattern.Group, weights.Pattern.Share);
        (bool inputAxis, bool strided) = (weights.Pattern.Axis == CellAxis.Input, weights.Pattern.Arrangement == Arrangement.Strided);
        int[] dimensions = [.. weights.Shape.Dimensions];
        int outputs = dimensions[0], channels = dimensions[1], taps = 1;
        foreach (int size in dimensions.AsSpan(2))
            taps *= size;
        int perGroup = outputs / weights.Shape.Groups, runsPerGroup = (perGroup + share - 1) / share;
        int length = inputAxis ? channels : runsPerGroup, cells = (length + group - 1) / group;
        int columns = inputAxis ? taps * cells * keep : taps * channels;
        var terms = new NaiveTerm<T>[outputs][];
        var row = new List<NaiveTerm<T>>();
        for (int m = 0; m < outputs; m++, row.Clear())
        {
            (int g, int inGroup) = (m / perGroup, m % perGroup);
            (int run, int lane) = (inGroup / share, inGroup % share);
            for (int tap = 0; tap < taps; tap++)
                for (int channel = 0; channel < channels; channel++)
                {
                    int entry = inputAxis ? channel : run;
                    (int j, int i) = strided ? (entry % cells, entry / cells) : (entry / group, entry % group);
                    int candidates = 0;
                    while (candidates < group && (strided ? j + candidates * cells : j * group + candidates) < length)
                        candidates++;
                    for (int s = 0; s < keep && s < candidates; s++)
                    {
                        int column = inputAxis ? (tap * cells + j) * keep + s : tap * channels + channel;
                        int ownerRow = inputAxis ? g * runsPerGroup + run : (g * cells + j) * keep + s;
                        int valueRow = inputAxis ? m : ownerRow * share + lane;
                        if (weights.Owners[ownerRow * columns + column] == i)
                            row.Add(new NaiveTerm<T>(tap, channel, weights.Values[valueRow * columns + column]));
                    }
                }

            terms[m] = [.. row];
        }

        return terms;
    }
}
