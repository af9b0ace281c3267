using CsCheck;
using Dovetail.Core.Patterns;

namespace Dovetail.Core.Tests;

/// <summary>Generators of patterns and layouts: small, with every axis, arrangement, share, tail and convolution group.</summary>
internal static class Gens
{
    public static readonly Gen<ComplementaryPattern> Pattern =
        from @group in Gen.OneOf(Gen.Int[1, 9], Gen.Int[10, 70], Gen.OneOfConst(16, 64, 128, 256))
        from keep in Gen.Int[1, @group]
        from axis in Gen.Enum<CellAxis>()
        from arrangement in Gen.Enum<Arrangement>()
        from share in Gen.Frequency((3, Gen.Const(1)), (2, Gen.Int[2, 4]))
        select new ComplementaryPattern(keep, @group, axis, arrangement, share);

    public static readonly Gen<WeightShape> Shape =
        from groups in Gen.Frequency((3, Gen.Const(1)), (1, Gen.Int[2, 3]))
        from outputs in Gen.Int[1, 11]
        from channels in Gen.Frequency((3, Gen.Int[1, 20]), (1, Gen.Int[21, 150]))
        from spatial in Gen.OneOf(
            Gen.Const<int[]>([]), Gen.Int[1, 3].Select(k => (int[])[k]), Gen.Select(Gen.Int[1, 3], Gen.Int[1, 3], (h, w) => (int[])[h, w]))
        select new WeightShape([outputs * groups, channels, .. spatial], groups);

    public static readonly Gen<CellLayout> Layout = Gen.Select(Pattern, Shape, (pattern, shape) => new CellLayout(pattern, shape));
}
