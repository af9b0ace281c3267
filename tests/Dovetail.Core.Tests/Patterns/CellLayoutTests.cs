using CsCheck;
using Dovetail.Core.Patterns;

namespace Dovetail.Core.Tests.Patterns;

public sealed class CellLayoutTests
{
    [Fact]
    public void Layout_IsWhatTheFormatSays() => Gens.Layout.Sample(layout =>
    {
        List<NaiveCell> cells = NaiveLayout.Cells(layout.Pattern, layout.Shape);
        Assert.Equal(cells.Count, layout.CellCount);
        for (int cell = 0; cell < cells.Count; cell++)
        {
            NaiveCell expected = cells[cell];
            Assert.Equal(expected.Candidates.Length, layout.CandidateCount(cell));
            Assert.Equal(Math.Min(layout.Pattern.Keep, expected.Candidates.Length), layout.UsedSlots(cell));
            for (int i = 0; i < expected.Candidates.Length; i++)
            {
                (int row, int rowCount, int column) = layout.Candidate(cell, i);
                Assert.Equal(expected.Candidates[i].Rows, Enumerable.Range(row, rowCount));
                Assert.Equal(expected.Candidates[i].Column, column);
                if (layout.Pattern.Axis == CellAxis.Input)
                    Assert.Equal(column, layout.InputColumn(cell % layout.CellsPerRow, i));
            }

            for (int slot = 0; slot < layout.Pattern.Keep; slot++)
            {
                Assert.Equal(expected.Owners[slot].Row * layout.OwnerColumns + expected.Owners[slot].Column, layout.OwnerIndex(cell, slot));
                for (int lane = 0; lane < expected.Candidates[0].Rows.Length; lane++)
                    Assert.Equal(
                        (expected.Values[slot].Row + lane) * layout.ValueColumns + expected.Values[slot].Column,
                        layout.ValueIndex(cell, slot, lane));
            }
        }
    }, iter: 300, seed: "0000000000001");

    [Fact]
    public void Cursor_SaysTheSameAsTheLayout() => Gens.Layout.Sample(layout =>
    {
        int expectedCell = 0, columns = layout.Shape.Inputs;
        for (var cell = new CellCursor(layout); cell.MoveNext(); expectedCell++)
        {
            Assert.Equal(expectedCell, cell.Cell);
            Assert.Equal(layout.CandidateCount(expectedCell), cell.Candidates);
            Assert.Equal(layout.UsedSlots(expectedCell), cell.Used);
            for (int i = 0; i < cell.Candidates; i++)
            {
                (int row, int rowCount, int column) = layout.Candidate(expectedCell, i);
                Assert.Equal(row * columns + column, cell.Base + i * cell.Step);
                Assert.Equal(rowCount, cell.Lanes(i));
            }

            for (int slot = 0; slot < layout.Pattern.Keep; slot++)
            {
                Assert.Equal(layout.OwnerIndex(expectedCell, slot), cell.OwnerBase + slot * cell.OwnerStep);
                for (int lane = 0; lane < cell.Lanes(0); lane++)
                    Assert.Equal(
                        layout.ValueIndex(expectedCell, slot, lane), cell.ValueBase + slot * cell.ValueStep + lane * cell.LaneStep);
            }
        }

        Assert.Equal(layout.CellCount, expectedCell);
    }, iter: 300, seed: "0000000000002");

    [Fact]
    public void EveryWeight_IsACandidateOnce() => Gens.Layout.Sample(layout =>
    {
        var seen = new int[layout.Shape.Count];
        for (int cell = 0; cell < layout.CellCount; cell++)
            for (int i = 0; i < layout.CandidateCount(cell); i++)
            {
                (int row, int rowCount, int column) = layout.Candidate(cell, i);
                for (int r = row; r < row + rowCount; r++)
                    seen[r * layout.Shape.Inputs + column]++;
            }

        Assert.All(seen, count => Assert.Equal(1, count));
    }, iter: 200, seed: "0000000000003");

    [Fact]
    public void PackedMatrixTooLarge_IsRefused()
    {
        // one channel, 256 slots: every weight takes 256 values
        var error = Assert.Throws<PatternException>(
            () => new CellLayout(new ComplementaryPattern(256, 256), WeightShape.Matrix(1 << 24, 1)));
        Assert.Equal("Pattern 256:256 on weights of shape 16777216×1 takes 16777216 × 256 values, more than one tensor may hold here, "
            + "2147483591. Choose a pattern that fits the shape.", error.Message);
        var atLimit = new CellLayout(new ComplementaryPattern(1, 256), WeightShape.Matrix(1, Array.MaxLength));
        Assert.Equal((Array.MaxLength + 255L) / 256, atLimit.CellCount);
        Assert.Equal(Array.MaxLength % 256, atLimit.CandidateCount(atLimit.CellCount - 1));
        Assert.Equal(Array.MaxLength - 1, atLimit.Candidate(atLimit.CellCount - 1, Array.MaxLength % 256 - 1).Column);
    }
}
