using Dovetail.Core.Patterns;
using Dovetail.Onnx.Layers;
using Dovetail.Onnx.Model;
using Dovetail.Onnx.Passes.Pack;
using Dovetail.Onnx.Pruning;
using Dovetail.Onnx.Zoo;

namespace Dovetail.Onnx.Tests.Pruning;

/// <summary>The pruner that comes with Dovetail, and what one of somebody else's may do.</summary>
public sealed class PrunerTests
{
    private static readonly ComplementaryPattern s_pattern = new(1, 16);

    /// <summary>Cell by cell against a sort.</summary>
    [Theory]
    [InlineData("1:4")]
    [InlineData("2:5")]
    [InlineData("3:16@strided")]
    [InlineData("2:4/out")]
    [InlineData("2:4x2")]
    [InlineData("1:2x2/out@strided")]
    public void Magnitudes_are_kept_cell_by_cell(string pattern)
    {
        var layout = new CellLayout(ComplementaryPattern.Parse(pattern), WeightShape.Matrix(10, 23)); // tails on either axis
        float[] weights = GaussianWeights.Create(layout.Shape.Count, 5);
        OnnxModel model = Gemm(layout.Shape, weights);
        PrunedWeights pruned = new MagnitudePruner().Prune(new PruningContext(model, WeightLayers.Find(model)[0], layout.Pattern));
        Assert.Equal(Sorted(layout, (row, column) => Math.Abs(weights[row * 23 + column])), pruned.Mask);
        Assert.Equal(weights.Select((weight, i) => pruned.Mask[i] ? weight : 0), pruned.Weights);
        Assert.Equal(weights, WeightLayers.Find(model)[0].GetWeights()); // the pruner leaves the model alone
    }

    [Fact]
    public void A_pruner_may_change_the_weights_that_it_keeps()
    {
        OnnxModel model = ZooModels.Create("fashion-cnn", 2);
        PruningResult plain = PruningPass.Prune(model, s_pattern), changed = PruningPass.Prune(model, s_pattern, new PruningOptions
        {
            Pruner = new Pruner(Double),
        });
        foreach ((WeightLayer before, WeightLayer after) in WeightLayers.Find(plain.Model).Zip(WeightLayers.Find(changed.Model)))
        {
            float factor = plain.Layers.Single(layer => layer.Name == before.Name).Pattern is null ? 1 : 2;
            Assert.Equal(before.GetWeights().Select(weight => factor * weight), after.GetWeights());
        }

        Assert.Equal(plain.Layers.Select(l => l.CapturedEnergy), changed.Layers.Select(l => l.CapturedEnergy)); // of the weights before
        Assert.Equal(changed.Layers.Select(l => l.Pattern), PackingPass.PackDeclared(changed.Model).Layers.Select(l => l.Pattern));

        static PrunedWeights Double(PruningContext context)
        {
            PrunedWeights pruned = new MagnitudePruner().Prune(context);
            return pruned with { Weights = Array.ConvertAll(pruned.Weights, weight => 2 * weight) };
        }
    }

    [Theory]
    [InlineData("too many", "a mask that breaks 1:16: ")]
    [InlineData("outside", "at row 0, column 0, expected 0, as the mask drops it.")]
    [InlineData("not finite", "the weight Infinity at row 0, column 0, expected a finite number.")]
    [InlineData("too short", "3 weights and a mask of 147456, expected 147456.")]
    public void What_cannot_be_packed_is_refused(string fault, string message)
    {
        var error = Assert.Throws<OnnxException>(() => PruningPass.Prune(
            ZooModels.Create("fashion-cnn", 2), new Dictionary<string, ComplementaryPattern> { ["block1.conv1"] = s_pattern },
            new PruningOptions { Pruner = new Pruner(Break) }));
        Assert.StartsWith("Pruner returned for layer 'block1.conv1' ", error.Message);
        Assert.Contains(message, error.Message);

        PrunedWeights Break(PruningContext context)
        {
            PrunedWeights pruned = new MagnitudePruner().Prune(context);
            if (fault == "too short")
                return pruned with { Weights = [1, 2, 3] };
            pruned.Mask[0] = fault != "outside";
            if (fault == "too many")
                pruned.Mask.AsSpan(0, 16).Fill(true);
            pruned.Weights[0] = fault == "not finite" ? float.PositiveInfinity : 1;
            return pruned;
        }
    }

    /// <summary>
    /// Scores |w|·‖x‖ on inputs of which one at a time is not zero: then the error of a layer's outputs is the sum over dropped weights of
    /// (w·‖x‖)², and the mask that the sort finds is the best there is.
    /// </summary>
    [Fact]
    public void A_pruner_may_weigh_by_the_inputs_of_the_model_as_pruned_so_far()
    {
        OnnxModel model = ZooModels.Create("mlp", 4);
        var inputs = new SingleInputs();
        PruningResult calibrated = PruningPass.Prune(model, s_pattern, new PruningOptions
        {
            Pruner = new Pruner(ByInputs),
            Inputs = inputs,
        });
        PruningResult plain = PruningPass.Prune(model, s_pattern);
        Assert.Equal(["fc1", "fc2"], inputs.Asked);
        foreach ((PrunedLayer layer, PrunedLayer other) in calibrated.Layers.Zip(plain.Layers).SkipLast(1))
        {
            float[] weights = WeightLayers.Find(model).Single(l => l.Name == layer.Name).GetWeights();
            int columns = layer.Shape.Inputs;
            double Weighed(int i) => Math.Abs(weights[i]) * SingleInputs.Norm(i % columns);
            double Error(bool[] mask) => Enumerable.Range(0, mask.Length).Where(i => !mask[i]).Sum(i => Weighed(i) * Weighed(i));
            Assert.Equal(
                Sorted(new CellLayout(s_pattern, layer.Shape), (row, column) => (float)Weighed(row * columns + column)), layer.Mask);
            Assert.True(Error(layer.Mask!) < Error(other.Mask!), layer.Name);
        }

        Assert.Equal(
            "Layer 'fc1' is to be pruned by its inputs, and there are no calibration data. Give PruningOptions.Inputs, or prune by "
            + "magnitude.",
            Assert.Throws<OnnxException>(() => PruningPass.Prune(model, s_pattern, new PruningOptions
            {
                Pruner = new Pruner(ByInputs),
            })).Message);
    }

    private static PrunedWeights ByInputs(PruningContext context)
    {
        int columns = context.Layout.Shape.Inputs;
        var squares = new double[columns];
        foreach (float[] rows in context.ReadInputs())
            for (int i = 0; i < rows.Length; i++)
                squares[i % columns] += (double)rows[i] * rows[i];
        float[] weights = context.Weights.ToArray();
        bool[] mask = Projection.Project(
            [.. weights.Select((weight, i) => (float)(Math.Abs(weight) * Math.Sqrt(squares[i % columns])))], context.Layout);
        return new PrunedWeights([.. weights.Select((weight, i) => mask[i] ? weight : 0)], mask);
    }

    private static bool[] Sorted(CellLayout layout, Func<int, int, float> score)
    {
        var mask = new bool[layout.Shape.Count];
        for (int cell = 0; cell < layout.CellCount; cell++)
        {
            var candidates = Enumerable.Range(0, layout.CandidateCount(cell)).Select(i => layout.Candidate(cell, i)).ToList();
            foreach ((int row, int count, int column) in candidates
                .OrderByDescending(c => Enumerable.Range(c.Row, c.RowCount).Sum(r => (double)score(r, c.Column)))
                    .Take(layout.UsedSlots(cell)))
                for (int lane = row; lane < row + count; lane++)
                    mask[lane * layout.Shape.Inputs + column] = true;
        }

        return mask;
    }

    private static OnnxModel Gemm(WeightShape shape, float[] weights) => Graphs.Of(
        [1, shape.Inputs], [1, shape.Outputs], [new NodeProto("Gemm", "fc", ["x", "w"], ["y"]).With("transB", 1)],
        [TensorData.Create<float>("w", [shape.Outputs, shape.Inputs], weights)]);

    private sealed class Pruner(Func<PruningContext, PrunedWeights> prune) : IPruner
    {
        public PrunedWeights Prune(PruningContext context) => prune(context);
    }

    /// <summary>A row for each input, zero but for that one; in two batches.</summary>
    private sealed class SingleInputs : ICalibrationInputs
    {
        public List<string> Asked { get; } = [];

        public static double Norm(int column) => 1 + column % 7;

        public IEnumerable<float[]> Read(OnnxModel model, WeightLayer layer, int group)
        {
            // the layers that were asked for before are pruned
            foreach (string before in Asked)
                Assert.Equal(s_pattern.Density, Density(model, before), 1e-9);
            Assert.Equal(0, group);
            Asked.Add(layer.Name);
            int columns = layer.Shape.Inputs, half = columns / 2;
            yield return Rows(columns, 0, half);
            yield return Rows(columns, half, columns);
        }

        private static double Density(OnnxModel model, string layer) =>
            WeightLayers.Find(model).Single(l => l.Name == layer).GetNonZeros().Average(kept => kept ? 1.0 : 0);

        private static float[] Rows(int columns, int from, int to)
        {
            var rows = new float[(to - from) * columns];
            for (int column = from; column < to; column++)
                rows[(column - from) * columns + column] = (float)Norm(column);
            return rows;
        }
    }
}
