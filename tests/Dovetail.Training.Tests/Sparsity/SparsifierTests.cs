using Dovetail.Core.Patterns;
using Dovetail.Onnx.Model;
using Dovetail.Onnx.Zoo;
using Dovetail.Training.Graph;
using Dovetail.Training.Graph.Operators;
using Dovetail.Training.Sparsity;

namespace Dovetail.Training.Tests.Sparsity;

[Collection(TorchCollection.Name)]
public sealed class SparsifierTests
{
    private const int Steps = 1000;

    [Theory]
    [InlineData(0, 1)]
    [InlineData(50, 1)]
    [InlineData(225, 1 - 0.9375 * 0.875)] // half way: 1 − (1/2)³
    [InlineData(400, 0.0625)]
    [InlineData(1000, 0.0625)]
    public void Density_falls_along_a_cubic(int step, double expected) =>
        Assert.Equal(expected, new DensitySchedule(0.0625, Steps).At(step), 12);

    [Fact]
    public void A_growing_mask_holds_the_owners_and_the_scheduled_density()
    {
        using var run = new Run(TrainingMethod.Growing, "1:16");
        double before = 2;
        foreach (int step in (int[])[0, 60, 100, 200, 300, 390, 400])
        {
            run.Sparsifier.BeforeStep(step);
            double expected = new DensitySchedule(1.0 / 16, Steps).At(step);
            Assert.Equal(expected, run.Sparsifier.Density, 4);
            Assert.True(run.Sparsifier.Density <= before);
            before = run.Sparsifier.Density;
            foreach (SparseWeight weight in run.Sparsifier.Weights)
            {
                Assert.Equal(Core.Patterns.Projection.Project(Shadow(weight), weight.Layout), weight.MatrixOwners());
                Assert.Equal(0, (weight.Owners * (1 - weight.Mask)).sum().item<float>());
            }
        }

        Assert.False(run.Sparsifier.IsGrowing);
    }

    /// <summary>Of 16, 32 and 64 channels cells of 12 leave tails, which keep more than their share.</summary>
    [Theory]
    [InlineData(TrainingMethod.Growing, 400)]
    [InlineData(TrainingMethod.SrSte, 0)]
    [InlineData(TrainingMethod.Static, 0)]
    public void Tail_cells_do_not_grow_for_ever(TrainingMethod method, int complete)
    {
        using var run = new Run(method, "2:12");
        Assert.Equal(method != TrainingMethod.Static, run.Sparsifier.IsGrowing); // before the first step all weights are in the masks
        run.Sparsifier.BeforeStep(complete / 2);
        Assert.Equal(method == TrainingMethod.Growing, run.Sparsifier.IsGrowing);
        run.Sparsifier.BeforeStep(complete);
        Assert.False(run.Sparsifier.IsGrowing);
        Assert.True(run.Sparsifier.Density > 2.0 / 12);
        Assert.All(run.Sparsifier.Weights, weight => Assert.Equal(
            Enumerable.Range(0, weight.Layout.CellCount).Sum(cell => (long)weight.Layout.UsedSlots(cell)), weight.OwnerCount));

        // Owners that are complete do not move when the network is evaluated.
        bool[][] owners = [.. run.Sparsifier.Weights.Select(weight => weight.MatrixOwners())];
        foreach (SparseWeight weight in run.Sparsifier.Weights)
            weight.Shadow.neg_().add_(0.5);
        run.Sparsifier.ApplyExactly();
        Assert.Equal(owners, run.Sparsifier.Weights.Select(weight => weight.MatrixOwners()));
    }

    [Fact]
    public void Frozen_owners_stay_and_the_shadow_is_cut()
    {
        using var run = new Run(TrainingMethod.SrSte, "2:32");
        Assert.False(run.Sparsifier.BeforeStep(0));
        Assert.False(run.Sparsifier.BeforeStep(799));
        Assert.True(run.Sparsifier.BeforeStep(800));
        Assert.True(run.Sparsifier.IsFrozen);
        Assert.False(run.Sparsifier.BeforeStep(810));
        foreach (SparseWeight weight in run.Sparsifier.Weights)
            Assert.Equal(0, (weight.Shadow * (1 - weight.Owners)).abs().sum().item<float>());
    }

    [Fact]
    public void Static_owners_are_random_feasible_and_depend_on_the_seed()
    {
        using Run a = new(TrainingMethod.Static, "1:16", seed: 1), b = new(TrainingMethod.Static, "1:16", seed: 1),
            c = new(TrainingMethod.Static, "1:16", seed: 2);
        Assert.Equal(a.Sparsifier.Weights[0].MatrixOwners(), b.Sparsifier.Weights[0].MatrixOwners());
        Assert.NotEqual(a.Sparsifier.Weights[0].MatrixOwners(), c.Sparsifier.Weights[0].MatrixOwners());
        Assert.Equal(1.0 / 16, a.Sparsifier.Density, 6);
        Assert.False(a.Sparsifier.BeforeStep(0));
    }

    [Fact]
    public void The_stem_and_the_head_stay_dense_unless_told()
    {
        using Run usual = new(TrainingMethod.SrSte, "1:16"), all = new(TrainingMethod.SrSte, "1:16", keepHeadDense: false);
        string[] names = [.. usual.Sparsifier.Weights.Select(w => w.LayerName)];
        Assert.Equal(["down1", "down2", "block1.conv1", "block1.conv2"], names);
        Assert.Equal([.. names, "head"], all.Sparsifier.Weights.Select(w => w.LayerName));
        using var less = new Run(TrainingMethod.SrSte, "1:16", denseLayers: ["down1"]);
        Assert.Equal(names[1..], less.Sparsifier.Weights.Select(w => w.LayerName));
    }

    [Fact]
    public void A_pattern_or_a_layer_name_that_fits_nothing_is_refused()
    {
        Assert.Contains("1:256", Assert.Throws<PatternException>(() => new Run(TrainingMethod.SrSte, "1:256")).Message);
        Assert.Contains(
            "has no layer 'nothing' to keep dense; its layers are stem, down1", Assert.Throws<TrainingException>(
                () => new Run(TrainingMethod.SrSte, "1:16", denseLayers: ["nothing"])).Message);
    }

    private static float[] Shadow(SparseWeight weight)
    {
        var matrix = new float[weight.Layout.Shape.Count];
        weight.Layout.Shape.ToMatrixOrder<float>(Array.ConvertAll(weight.Shadow.ToFloats(), Math.Abs), matrix);
        return matrix;
    }

    private sealed class Run : IDisposable
    {
        private readonly TrainableGraph _graph;

        public Run(TrainingMethod method, string pattern, int seed = 1, bool keepHeadDense = true, params string[] denseLayers)
        {
            OnnxModel model = ZooModels.Create("fashion-cnn", 3);
            _graph = new TrainableGraph(model);
            var options = new TrainingOptions
            {
                Method = method,
                Pattern = ComplementaryPattern.Parse(pattern),
                Epochs = 1,
                Seed = seed,
                KeepHeadDense = keepHeadDense,
                DenseLayers = denseLayers,
            };
            Sparsifier = new Sparsifier(model, _graph, options, Steps);
        }

        public Sparsifier Sparsifier { get; }

        public void Dispose()
        {
            Sparsifier.Dispose();
            _graph.Dispose();
        }
    }
}
