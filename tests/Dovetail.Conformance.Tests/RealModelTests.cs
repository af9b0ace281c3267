using Dovetail.Core.Packing;
using Dovetail.Core.Patterns;
using Dovetail.Onnx.Inspection;
using Dovetail.Onnx.Layers;
using Dovetail.Onnx.Model;
using Dovetail.Onnx.Passes.Normalize;
using Dovetail.Onnx.Passes.Pack;
using Dovetail.Onnx.Passes.Quantize;
using Dovetail.Onnx.Passes.Unpack;
using Dovetail.Onnx.Pruning;
using Dovetail.Runtime;
using Microsoft.ML.OnnxRuntime;

namespace Dovetail.Conformance.Tests;

/// <summary>Public models through every step that a person takes with them; ONNX Runtime is the oracle.</summary>
public sealed class RealModelTests
{
    private static readonly ComplementaryPattern s_pattern = ComplementaryPattern.Parse("1:8");

    public static TheoryData<string> Names => [.. RealModel.All.Select(model => model.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void A_public_model_is_pruned_packed_unpacked_and_counted_and_computes_the_same(string name)
    {
        RealModel real = RealModel.All.First(model => model.Name == name);
        OnnxModel model = real.Load();
        Assert.Equal(real.Layers, WeightLayers.Find(model).Count);
        OnnxModel sparse = PruningPass.Prune(model, s_pattern, new PruningOptions { Head = true }).Model;
        PackingResult packed = PackingPass.Pack(sparse, s_pattern, new PackingOptions { AllowLarger = true });
        Assert.Equal(real.Packed, packed.Layers.Count(layer => layer.IsPacked));
        Assert.All(packed.Layers, layer => Assert.True(layer.IsPacked || layer.DenseReason!.Length > 0));
        using var folder = new TemporaryFolder();
        packed.Model.Save(folder.File("packed.onnx"));
        Assert.Empty(Verification.Run(folder.File("packed.onnx"), null).Violations);

        IReadOnlyList<InputTensor> inputs = Inputs(real, sparse);
        float[] expected = Run(sparse, inputs);
        AssertClose(expected, Run(packed.Model, inputs), 2e-4);
        AssertClose(expected, Run(UnpackingPass.Unpack(packed.Model), inputs), 2e-4);

        PackedModel counted = PackedModelReader.Read(real.Sized(sparse)), countedPacked = PackedModelReader.Read(real.Sized(packed.Model));
        Assert.All(counted.Unsized, layer => Assert.EndsWith("decoder/decoder/2/Conv", layer, StringComparison.Ordinal));
        Assert.Equal(
            counted.Layers.Sum(layer => layer.Workload.DenseMacs), countedPacked.Layers.Sum(layer => layer.Workload.DenseMacs));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void A_public_model_is_quantized_where_calibration_sees_its_layers(string name)
    {
        RealModel real = RealModel.All.First(model => model.Name == name);
        OnnxModel model = OperatorSetUpgrade.Apply(real.Load());
        IReadOnlyList<string> tensors = QuantizationPass.TensorsToCalibrate(model);
        if (real.Int8 == 0)
        {
            Assert.Empty(tensors);
            Assert.All(WeightLayers.Find(model), layer => Assert.NotNull(QuantizationPass.ReasonAgainst(layer)));
            return;
        }

        IReadOnlyList<InputTensor> inputs = Inputs(real, model);
        var ranges = Calibration.Ranges(
            GraphSlicer.WithOutputs(model, tensors).ToBytes(), [.. tensors], [inputs], CalibrationMethod.MinMax, threads: 1);
        OnnxModel quantized = QuantizationPass.Quantize(model, ranges);
        Assert.Equal(real.Int8, WeightLayers.Find(quantized).Count(layer => layer.IsQuantized));
        Assert.All(Run(quantized, inputs), value => Assert.True(float.IsFinite(value)));
    }

    /// <summary>Random floats; integers are 16000, which is the sample rate that the voice models choose their branch by.</summary>
    private static IReadOnlyList<InputTensor> Inputs(RealModel real, OnnxModel model)
    {
        using var session = DovetailSession.Create(model.ToBytes(), new DovetailSessionOptions(1));
        var random = new Random(7);
        return [.. session.Inner.InputMetadata.Select(input =>
        {
            long[] shape = [.. input.Value.Dimensions.Select((dimension, axis) => dimension >= 0 ? dimension
                : real.Sizes.TryGetValue(input.Value.SymbolicDimensions[axis], out long size) ? size
                : real.Sizes.TryGetValue($"{input.Key}_{axis}", out size) ? size : 1L)];
            int count = (int)shape.Aggregate(1L, (product, d) => product * d);
            return new InputTensor(input.Key, input.Value.ElementType == typeof(float)
                ? Enumerable.Range(0, count).Select(_ => random.NextSingle() * 2 - 1).ToArray()
                : Enumerable.Repeat(16000L, count).ToArray(), shape);
        })];
    }

    private static float[] Run(OnnxModel model, IReadOnlyList<InputTensor> inputs)
    {
        using var session = DovetailSession.Create(model.ToBytes(), new DovetailSessionOptions(1));
        OrtValue[] values = [.. inputs.Select(input => TensorValues.Create(input.Values, input.Shape))];
        try
        {
            using var options = new RunOptions();
            using IDisposableReadOnlyCollection<OrtValue> outputs = session.Inner.Run(
                options, [.. inputs.Select(input => input.Name)], values, session.Inner.OutputNames);
            return outputs[0].GetTensorDataAsSpan<float>().ToArray();
        }
        finally
        {
            Array.ForEach(values, value => value.Dispose());
        }
    }

    private static void AssertClose(float[] expected, float[] actual, double tolerance)
    {
        double largest = expected.Max(Math.Abs);
        Assert.Equal(expected.Length, actual.Length);
        for (int i = 0; i < expected.Length; i++)
            Assert.True(
                Math.Abs(expected[i] - actual[i]) <= tolerance * largest,
                $"element {i} is {actual[i]}, expected {expected[i]} of {largest}.");
    }
}
