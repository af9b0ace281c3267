using Dovetail.Core.Patterns;
using Dovetail.Onnx.Inspection;

namespace Dovetail.Onnx.Tests.Inspection;

public sealed class PatternMatchTests
{
    // every cell counted by hand, over all cells of a small matrix and all patterns of a few groups
    [Fact]
    public void Fault_is_found_where_brute_force_finds_it()
    {
        var random = new Random(5);
        var shape = WeightShape.Matrix(6, 8);
        foreach (string text in (string[])["1:4", "2:4", "2:8", "1:4@strided", "1:3/out", "2:4x2", "1:2x2/out@strided"])
        {
            var layout = new CellLayout(ComplementaryPattern.Parse(text), shape);
            for (int trial = 0; trial < 200; trial++)
            {
                bool[] mask = [.. Enumerable.Range(0, shape.Count).Select(_ => random.Next(8) == 0)];
                int? broken = null;
                for (int cell = layout.CellCount - 1; cell >= 0; cell--)
                {
                    int used = Enumerable.Range(0, layout.CandidateCount(cell)).Select(i => layout.Candidate(cell, i))
                        .Count(place => Enumerable.Range(place.Row, place.RowCount).Any(row => mask[row * 8 + place.Column]));
                    if (used > layout.UsedSlots(cell))
                        broken = cell;
                }

                MaskFault? fault = PatternMatch.FindFault(mask, layout.Pattern, shape);
                Assert.Equal(broken, fault?.Cell);
                Assert.Equal(broken is null, PatternMatch.IsSatisfied(mask, layout.Pattern, shape));
                Assert.True(fault is null || mask[fault.Row * 8 + fault.Column]);
            }
        }
    }
}
