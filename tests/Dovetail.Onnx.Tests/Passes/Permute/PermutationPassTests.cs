using Dovetail.Core.Patterns;
using Dovetail.Core.Safetensors;
using Dovetail.Onnx.Layers;
using Dovetail.Onnx.Model;
using Dovetail.Onnx.Passes.Pack;
using Dovetail.Onnx.Passes.Permute;
using Dovetail.Onnx.Passes.Quantize;

namespace Dovetail.Onnx.Tests.Passes.Permute;

public sealed class PermutationPassTests
{
    private static readonly PermutationPassOptions Short = new() { MaxEvaluations = 4000, MinStoredGain = 0 };

    /// <summary>Whatever the pattern, the network computes what it did before, and no layer that was searched alone keeps less.</summary>
    [Theory]
    [InlineData("fashion-cnn", "1:16")]
    [InlineData("fashion-cnn", "4:64@strided")]
    [InlineData("fashion-cnn", "2:8x3")]
    [InlineData("fashion-cnn", "1:8/out")]
    [InlineData("fashion-cnn", "1:8x2/out")]
    [InlineData("mlp", "1:16")]
    [InlineData("mlp", "1:10/out")]
    [InlineData("mlp", "4:64@strided")]
    public void Zoo_ComputesTheSame(string name, string pattern)
    {
        OnnxModel model = Graphs.Trained(name, 5);
        PermutationPassResult result = PermutationPass.Apply(model, ComplementaryPattern.Parse(pattern), Short);
        AssertSame(model, result.Model, Oracle.Images(1, 4), [4, 1, 28, 28]);
        Assert.Contains(result.Layers, l => l.Outcome == PermutationOutcome.Folded);
        foreach (PermutedLayer layer in result.Layers)
            CheckReport(model, result, layer);
    }

    [Fact]
    public void AResidualConnection_TiesItsLayers()
    {
        PermutationPassResult result = PermutationPass.Apply(Graphs.Trained("fashion-cnn", 5), ComplementaryPattern.Parse("1:16"), Short);
        Dictionary<string, PermutedLayer> layers = result.Layers.ToDictionary(l => l.Name);
        // down2's output is read by block1.conv1 and, through the residual connection and the pooling, by the head
        Assert.Equal(["head"], layers["block1.conv1"].TiedLayers);
        Assert.Equal(["block1.conv1"], layers["head"].TiedLayers);
        Assert.Empty(layers["block1.conv2"].TiedLayers);
        Assert.Equal("1 channel is fewer than the group, 16", layers["stem"].Reason);
        Assert.All(result.Layers.Where(l => l.Name != "stem"), l => Assert.Equal(PermutationOutcome.Folded, l.Outcome));
        Assert.DoesNotContain(result.Model.Nodes, n => n.Is("Gather"));
    }

    [Fact]
    public void WhatTheInputFeeds_IsStored()
    {
        OnnxModel model = Graphs.Trained("mlp", 5);
        PermutationPassResult result = PermutationPass.Apply(model, ComplementaryPattern.Parse("1:16"), Short);
        Assert.Equal(
            [PermutationOutcome.Stored, PermutationOutcome.Folded, PermutationOutcome.Folded], result.Layers.Select(l => l.Outcome));
        Assert.Equal("Flatten 'flatten' depends on the order of 'flatten.output'", result.Layers[0].Reason);
        long[] order = result.Model.FindInitializer("fc1.perm")!.ToInt64s();
        Assert.Equal(Enumerable.Range(0, 784).Select(i => (long)i), order.Order());
        NodeProto gather = Assert.Single(result.Model.Nodes, n => n.Is("Gather"));
        Assert.Equal(["flatten.output", "fc1.perm"], gather.Inputs);

        PermutationPassResult folded = PermutationPass.Apply(model, ComplementaryPattern.Parse("1:16"), Short with { AllowStored = false });
        Assert.DoesNotContain(folded.Model.Nodes, n => n.Is("Gather"));
        Assert.Equal(PermutationOutcome.Unchanged, folded.Layers[0].Outcome);
        PermutationPassResult dear = PermutationPass.Apply(model, ComplementaryPattern.Parse("1:16"), Short with { MinStoredGain = 0.9 });
        Assert.Contains("not worth a Gather", dear.Layers[0].Reason);
    }

    [Fact]
    public void StoredOrders_StandInSafetensors()
    {
        OnnxModel permuted = PermutationPass.Apply(Graphs.Trained("mlp", 5), ComplementaryPattern.Parse("1:16"), Short).Model;
        Graphs.Project(permuted, ComplementaryPattern.Parse("1:16"));
        OnnxModel packed = PackingPass.Pack(permuted, ComplementaryPattern.Parse("1:16")).Model;
        string path = Path.Combine(Path.GetTempPath(), $"dovetail-{Guid.NewGuid():N}.safetensors");
        try
        {
            SafetensorsExport.Write(packed, path);
            using SafetensorsFile file = SafetensorsFile.Open(path);
            Assert.Equal(permuted.FindInitializer("fc1.perm")!.ToInt64s(), file.ToArray<long>(file.Get("fc1.perm")));
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    public void LayersThatSatisfyThePattern_StayAsTheyAre()
    {
        OnnxModel model = Graphs.Sparse("fashion-cnn", 3, "1:16");
        PermutationPassResult result = PermutationPass.Apply(model, ComplementaryPattern.Parse("1:16"), Short);
        Assert.Equal(model.ToBytes().Length, result.Model.ToBytes().Length);
        Assert.All(result.Layers, l => Assert.Equal((PermutationOutcome.Unchanged, l.CapturedBefore), (l.Outcome, l.CapturedAfter)));
        Assert.Equal(
            "'block1.conv1' has the same channels and satisfies its pattern already", result.Layers.Single(l => l.Name == "head").Reason);
    }

    [Fact]
    public void NoTime_NoChange_AndEqualSeeds_GiveEqualModels()
    {
        OnnxModel model = Graphs.Trained("mlp", 5);
        ComplementaryPattern pattern = ComplementaryPattern.Parse("1:16");
        PermutationPassResult none = PermutationPass.Apply(model, pattern, Short with { TimeLimit = TimeSpan.Zero });
        Assert.All(none.Layers, l => Assert.Equal(PermutationOutcome.Unchanged, l.Outcome));
        Assert.Equal(model.ToBytes(), none.Model.ToBytes());
        byte[] Once() => PermutationPass.Apply(model, pattern, Short with { Seed = 7 }).Model.ToBytes();
        Assert.Equal(Once(), Once());
    }

    [Fact]
    public void LayerPatterns_MayDiffer_AndUnknownNames_AreRefused()
    {
        OnnxModel model = Graphs.Trained("fashion-cnn", 5);
        var options = Short with
        {
            LayerPatterns = new Dictionary<string, ComplementaryPattern>
            {
                ["head"] = ComplementaryPattern.Parse("2:4"),
                ["down2"] = ComplementaryPattern.Dense
            }
        };
        PermutationPassResult result = PermutationPass.Apply(model, ComplementaryPattern.Parse("1:16"), options);
        AssertSame(model, result.Model, Oracle.Images(1, 2), [2, 1, 28, 28]);
        Assert.Null(result.Layers.Single(l => l.Name == "down2").Pattern);
        PermutedLayer[] tied = [.. result.Layers.Where(l => l.Name is "head" or "block1.conv1")];
        Assert.True(tied.Sum(l => l.CapturedAfter) >= tied.Sum(l => l.CapturedBefore));
        Assert.Equal(
            "The model has no layer 'nothing' with weights, expected one of: stem, down1, down2, block1.conv1, block1.conv2, head.",
            Assert.Throws<OnnxException>(() => PermutationPass.Apply(model, ComplementaryPattern.Dense, new()
            {
                LayerPatterns = new Dictionary<string, ComplementaryPattern> { ["nothing"] = ComplementaryPattern.Dense },
            })).Message);
    }

    [Fact]
    public void QuantizedLayers_StayAsTheyAre()
    {
        OnnxModel model = Graphs.Trained("fashion-cnn", 3);
        model = QuantizationPass.Quantize(model, QuantizationPass.TensorsToCalibrate(model).ToDictionary(t => t, _ => (-1f, 3f)));
        PermutationPassResult result = PermutationPass.Apply(model, ComplementaryPattern.Parse("1:16"), Short);
        Assert.All(result.Layers, l => Assert.Equal(PermutationOutcome.Unchanged, l.Outcome));
        Assert.Contains(result.Layers, l => l.Reason!.Contains("int8", StringComparison.Ordinal));
        Assert.Equal(model.ToBytes(), result.Model.ToBytes());
    }

    /// <summary>Graphs of one purpose each: the function stays, and so does what must not move.</summary>
    [Theory]
    [MemberData(nameof(Cases))]
    public void HandMade_ComputesTheSame(string name, string pattern)
    {
        (OnnxModel model, int[] shape, string outcomes) = HandMadeGraphs.Create(name);
        PermutationPassResult result = PermutationPass.Apply(model, ComplementaryPattern.Parse(pattern), Short);
        AssertSame(model, result.Model, Oracle.Uniform(4, shape.Aggregate((a, b) => a * b), -1, 1), shape, name == "half" ? 1e-3f : 2e-5f);
        foreach (PermutedLayer layer in result.Layers)
            CheckReport(model, result, layer);
        Assert.True(result.Layers.Sum(l => l.CapturedAfter) >= result.Layers.Sum(l => l.CapturedBefore) - 1e-12);
        if (pattern == HandMadeGraphs.MainPattern)
            Assert.Equal(outcomes, string.Join(' ', result.Layers.Select(l => $"{l.Name}:{l.Outcome}")));
        // what is exact stays exact: the same weights stand in the file, in another order
        Assert.Equal(Sorted(model), Sorted(result.Model));
    }

    public static TheoryData<string, string> Cases()
    {
        var cases = new TheoryData<string, string>();
        foreach (string name in HandMadeGraphs.Names)
            foreach (string pattern in (string[])[HandMadeGraphs.MainPattern, "1:4@strided", "1:3x2", "2:5/out", "1:2x2/out"])
                cases.Add(name, pattern);
        return cases;
    }

    private static float[] Sorted(OnnxModel model) =>
        [.. model.Nodes.SelectMany(n => n.Inputs).Select(model.FindConstant).OfType<TensorProto>().Where(t => t.DataType == OnnxType.Float)
            .SelectMany(t => t.ToFloats()).Order()];

    private static void CheckReport(OnnxModel before, PermutationPassResult result, PermutedLayer layer)
    {
        if (layer.TiedLayers.Count == 0 && layer.Outcome == PermutationOutcome.Unchanged)
            Assert.Equal(layer.CapturedBefore, layer.CapturedAfter, 12);
        Assert.Equal(layer.Outcome != PermutationOutcome.Folded, layer.Reason is not null);
        if (layer.Outcome != PermutationOutcome.Unchanged && layer.TiedLayers.Count == 0)
            Assert.True(layer.CapturedAfter > layer.CapturedBefore, $"{layer}");
        if (layer.Pattern is { } pattern)
        {
            WeightLayer was = WeightLayers.Find(before).Single(l => l.Name == layer.Name), now = WeightLayers.Find(result.Model)
                .Single(l => l.Name == layer.Name);
            Assert.Equal(CapturedEnergy.Of(was.GetWeights(), pattern, was.Shape), layer.CapturedBefore, 12);
            Assert.Equal(CapturedEnergy.Of(now.GetWeights(), pattern, now.Shape), layer.CapturedAfter, 12);
        }
    }

    private static void AssertSame(OnnxModel before, OnnxModel after, float[] input, int[] shape, float tolerance = 2e-5f)
    {
        var expected = Oracle.Run(before, input, shape);
        var actual = Oracle.Run(after, input, shape);
        Assert.Equal(expected.Keys.Order(), actual.Keys.Order());
        foreach ((string name, (float[] data, int[] dims)) in expected)
        {
            Assert.Equal(dims, actual[name].Shape);
            Oracle.AssertClose(data, actual[name].Data, tolerance);
        }
    }
}
