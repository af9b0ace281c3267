using Dovetail.Core.Packing;
using Dovetail.Core.Patterns;

namespace Dovetail.Kernels.Decode;

/// <summary>
/// The terms of every output's sum, read off the packed slots of any pattern:
/// y[m] = Σ value · x[tap, channel] over the terms RowStart[m] … RowStart[m + 1] − 1.
/// 1. Walk every cell and every used slot; the owner says which candidate the slot belongs to.
/// 2. The candidate is a run of rows at one column; column = tap·channels + channel.
/// 3. Sort the terms by row, so that one output's sum is one loop.
/// </summary>
internal sealed class TermList<T>
    where T : unmanaged
{
    public TermList(PackedTensor<T> weights)
    {
        CellLayout layout = weights.Layout;
        RowStart = new int[layout.Shape.Outputs + 1];
        ForEachTerm(weights, (row, _, _) => RowStart[row + 1]++);
        for (int m = 0; m < layout.Shape.Outputs; m++)
            RowStart[m + 1] += RowStart[m];
        int count = RowStart[^1], channels = layout.Shape.Channels;
        (Taps, Channels, Values) = (new int[count], new int[count], new T[count]);
        var next = (int[])RowStart.Clone();
        ForEachTerm(weights, (row, column, value) =>
        {
            int at = next[row]++;
            (Taps[at], Channels[at], Values[at]) = (column / channels, column % channels, value);
        });
    }

    /// <summary>[outputs + 1].</summary>
    public int[] RowStart { get; }

    public int[] Taps { get; }

    /// <summary>Channel within the output's convolution group.</summary>
    public int[] Channels { get; }

    public T[] Values { get; }

    private static void ForEachTerm(PackedTensor<T> weights, Action<int, int, T> visit)
    {
        CellLayout layout = weights.Layout;
        for (int cell = 0; cell < layout.CellCount; cell++)
            for (int slot = 0; slot < layout.UsedSlots(cell); slot++)
            {
                (int row, int rowCount, int column) = layout.Candidate(cell, weights.Owners[layout.OwnerIndex(cell, slot)]);
                for (int lane = 0; lane < rowCount; lane++)
                    visit(row + lane, column, weights.Values[layout.ValueIndex(cell, slot, lane)]);
            }
    }
}
