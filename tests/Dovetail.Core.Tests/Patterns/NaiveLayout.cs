using Dovetail.Core.Patterns;

namespace Dovetail.Core.Tests.Patterns;

/// <summary>A cell, written out: the weights of each candidate, and where each slot stands in packed storage.</summary>
/// <param name="Candidates">[candidate] = rows (the lanes) at one column.</param>
/// <param name="Owners">[slot] = (row, column) in the owner matrix.</param>
/// <param name="Values">[slot] = (row, column) of lane 0 in the value matrix.</param>
internal sealed record NaiveCell(
    (int[] Rows, int Column)[] Candidates, (int Row, int Column)[] Owners, (int Row, int Column)[] Values);

/// <summary>The oracle of every layout test: docs/format.md in loops, without a line from CellLayout.</summary>
internal static class NaiveLayout
{
    public static List<NaiveCell> Cells(ComplementaryPattern pattern, WeightShape shape)
    {
        var cells = new List<NaiveCell>();
        if (pattern.Axis == CellAxis.Input)
        {
            int runNumber = 0;
            foreach (int[] run in AllRuns(pattern, shape).SelectMany(runs => runs))
            {
                int column = 0;
                for (int tap = 0; tap < shape.Taps; tap++)
                    foreach (int[] entries in Split(pattern, shape.Channels))
                    {
                        int[] slots = [.. Enumerable.Range(column, pattern.Keep)];
                        int tapStart = tap * shape.Channels;
                        cells.Add(new NaiveCell(
                            [.. entries.Select(channel => (run, tapStart + channel))],
                            [.. slots.Select(slot => (runNumber, slot))],
                            [.. slots.Select(slot => (run[0], slot))]));
                        column += pattern.Keep;
                    }

                runNumber++;
            }

            return cells;
        }

        int block = 0;
        foreach (List<int[]> runs in AllRuns(pattern, shape))
            foreach (int[] entries in Split(pattern, runs.Count))
            {
                for (int column = 0; column < shape.Inputs; column++)
                    cells.Add(new NaiveCell(
                        [.. entries.Select(entry => (runs[entry], column))],
                        [.. Enumerable.Range(0, pattern.Keep).Select(slot => (block * pattern.Keep + slot, column))],
                        [.. Enumerable.Range(0, pattern.Keep).Select(slot => ((block * pattern.Keep + slot) * pattern.Share, column))]));
                block++;
            }

        return cells;
    }

    private static IEnumerable<List<int[]>> AllRuns(ComplementaryPattern pattern, WeightShape shape)
    {
        for (int g = 0; g < shape.Groups; g++)
            yield return [.. Enumerable.Range(g * shape.OutputsPerGroup, shape.OutputsPerGroup).Chunk(pattern.Share)];
    }

    private static List<int[]> Split(ComplementaryPattern pattern, int length)
    {
        int[] entries = [.. Enumerable.Range(0, length)];
        if (pattern.Arrangement == Arrangement.Contiguous)
            return [.. entries.Chunk(pattern.Group)];
        int cells = (length + pattern.Group - 1) / pattern.Group;
        return [.. Enumerable.Range(0, cells).Select(j => entries.Where(entry => entry % cells == j).ToArray())];
    }
}
