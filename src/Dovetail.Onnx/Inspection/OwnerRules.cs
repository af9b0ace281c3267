using Dovetail.Core.Packing;
using Dovetail.Core.Patterns;

namespace Dovetail.Onnx.Inspection;

/// <summary>The rules that owners in a file obey (docs/format.md), checked so that the first break has a place in the matrix.</summary>
internal static class OwnerRules
{
    /// <param name="encoded">[OwnerRows, RowBytes], as in the file.</param>
    /// <returns>Null where all owners are in order.</returns>
    public static Violation? FindViolation(string layer, CellLayout layout, ReadOnlySpan<byte> encoded)
    {
        byte[] owners;
        try
        {
            owners = OwnerCodec.Decode(encoded, layout.OwnerRows, layout.OwnerColumns, layout.Pattern.IndexBits);
        }
        catch (PackingException error)
        {
            return new Violation(layer, null, null, null, error.Message);
        }

        for (int cell = 0; cell < layout.CellCount; cell++)
        {
            int candidates = layout.CandidateCount(cell), used = layout.UsedSlots(cell), previous = -1;
            for (int slot = 0; slot < layout.Pattern.Keep; slot++)
            {
                int owner = owners[layout.OwnerIndex(cell, slot)];
                bool good = slot < used ? owner > previous && owner < candidates : owner == 0;
                if (!good)
                {
                    (int row, _, int column) = layout.Candidate(cell, Math.Min(owner, candidates - 1));
                    string expected = slot < used ? $"an owner above {previous} and below {candidates}" : "0, as the slot is padding";
                    return new Violation(
                        layer, cell, row, column,
                        $"cell {cell}, slot {slot} has owner {owner}, expected {expected} (near row {row}, column {column})");
                }

                previous = owner;
            }
        }

        return null;
    }
}
