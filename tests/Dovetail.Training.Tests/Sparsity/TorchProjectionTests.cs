using CsCheck;
using Dovetail.Core.Packing;
using Dovetail.Core.Patterns;
using Dovetail.Training.Sparsity;
using TorchSharp;
using static TorchSharp.torch;

namespace Dovetail.Training.Tests.Sparsity;

[Collection(TorchCollection.Name)]
public sealed class TorchProjectionTests
{
    // Small whole numbers as scores: many ties, and sums over shared owners are exact in any order.
    private static readonly Gen<(ComplementaryPattern Pattern, WeightShape Shape, int Seed, int Levels)> Cases =
        from @group in Gen.Int[1, 20]
        from keep in Gen.Int[1, @group]
        from axis in Gen.Enum<CellAxis>()
        from arrangement in Gen.Enum<Arrangement>()
        from share in Gen.Int[1, 4]
        from convolutionGroups in Gen.Int[1, 3]
        from outputs in Gen.Int[1, 12]
        from channels in Gen.Int[1, 40]
        from kernel in Gen.Int[1, 3]
        from seed in Gen.Int[0, 1_000_000]
        from levels in Gen.OneOfConst(3, 100, 1 << 20)
        select (new ComplementaryPattern(keep, @group, axis, arrangement, share),
            kernel == 1 && convolutionGroups == 1
                ? WeightShape.Matrix(outputs, channels)
                : new WeightShape([outputs * convolutionGroups, channels, kernel, 2], convolutionGroups), seed, levels);

    [Fact]
    public void The_mask_is_Cores_projection_bit_for_bit() => Cases.Sample(
        c =>
        {
            var layout = new CellLayout(c.Pattern, c.Shape);
            float[] matrix = Scores(c.Shape.Count, c.Seed, c.Levels);
            bool[] expected = Projection.Project(matrix, layout);
            Assert.Equal(expected, Project(layout, matrix, inputsFirst: false));
            if (c.Shape.Dimensions.Length == 2)
                Assert.Equal(expected, Project(layout, matrix, inputsFirst: true));
            // feasible: Core packs it, which refuses a cell with too many
            Packer.Pack<float>(Array.ConvertAll(expected, m => m ? 1f : 0f), layout);
        },
        iter: 300, threads: 1, seed: "0000KOIPe036");

    [Fact]
    public void A_mask_goes_to_the_tensors_order_and_back() => Cases.Sample(
        c =>
        {
            using DisposeScope scope = NewDisposeScope();
            bool[] mask = Array.ConvertAll(Scores(c.Shape.Count, c.Seed, 2), s => s != 0);
            var projection = new TorchProjection(new CellLayout(c.Pattern, c.Shape), inputsFirst: false);
            Tensor tensor = projection.FromMatrixMask(mask);
            Assert.Equal(c.Shape.Dimensions.Select(d => (long)d), tensor.shape);
            Assert.Equal(mask, projection.MatrixMask(tensor));
        },
        iter: 50, threads: 1, seed: "0000KOIPe036");

    private static float[] Scores(int count, int seed, int levels)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => (float)random.Next(levels))];
    }

    private static bool[] Project(CellLayout layout, float[] matrix, bool inputsFirst)
    {
        using DisposeScope scope = NewDisposeScope();
        WeightShape shape = layout.Shape;
        Tensor scores;
        if (inputsFirst)
        {
            scores = tensor(matrix, [shape.Outputs, shape.Inputs]).t().contiguous();
        }
        else
        {
            var ordered = new float[shape.Count];
            shape.ToTensorOrder<float>(matrix, ordered);
            scores = tensor(ordered, [.. shape.Dimensions.Select(d => (long)d)]);
        }

        var projection = new TorchProjection(layout, inputsFirst);
        Tensor mask = projection.Project(scores);
        Assert.Equal(scores.shape, mask.shape);
        return projection.MatrixMask(mask);
    }
}
