using Dovetail.Accelerator.Mapping;

namespace Dovetail.Accelerator.Simulation;

/// <summary>What of the array a fold uses, so that events of idle rows and columns are not counted.</summary>
internal sealed class FoldUse
{
    public FoldUse(LayerMapping mapping, ArrayFold fold)
    {
        (Slots, Outputs, AddsToEarlierFold) = (fold.Slots, fold.Outputs, !fold.IsFirst);
        OwnerWords = mapping.Pattern.IndexBits == 0 ? 0 : mapping.OwnersAcross(fold.FirstOutput, fold.Outputs);
        CandidatesOfRow = new int[fold.Slots];
        UsefulRow = new bool[fold.Slots];
        for (int r = 0; r < fold.Slots; r++)
        {
            CandidatesOfRow[r] = mapping.Candidates(fold.FirstSlot + r);
            UsefulRow[r] = mapping.IsUseful(fold.FirstSlot + r);
        }
    }

    /// <summary>A tile whose every PE counts.</summary>
    public FoldUse(ArrayTile tile)
    {
        (Slots, Outputs, OwnerWords) = (tile.Rows, tile.Columns, tile.Group > 1 ? tile.Columns : 0);
        CandidatesOfRow = new int[Slots];
        UsefulRow = new bool[Slots];
        CandidatesOfRow.AsSpan().Fill(tile.Group);
        UsefulRow.AsSpan().Fill(true);
    }

    /// <summary>Array rows in use.</summary>
    public int Slots { get; }

    /// <summary>Array columns in use.</summary>
    public int Outputs { get; }

    /// <summary>Owners read for one array row.</summary>
    public int OwnerWords { get; }

    public bool AddsToEarlierFold { get; }

    public int[] CandidatesOfRow { get; }

    public bool[] UsefulRow { get; }
}
