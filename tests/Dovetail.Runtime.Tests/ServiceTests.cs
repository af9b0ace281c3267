using Dovetail.Core.Packing;
using Dovetail.Core.Patterns;
using Dovetail.Kernels;
using Dovetail.Tests.Kernels;
using Dovetail.Tests.Models;

namespace Dovetail.Runtime.Tests;

/// <summary>Evaluation, calibration, capture and benchmark on small models whose results are known.</summary>
public sealed class ServiceTests
{
    private static readonly LayerCase Classifier = new(
        "1:16", 10, 32, PreparedLayer.RowsOf(1), Bias: false, Residual: false, Kind: ActivationKind.None);

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    [InlineData(100)]
    public void Logits_do_not_depend_on_the_batch(int batchSize)
    {
        byte[] model = Model();
        float[] images = RandomLayer.Floats(23 * 32, new Random(2));
        using var session = DovetailSession.Create(model, new DovetailSessionOptions(1));
        var reported = new List<int>();
        float[] logits = Evaluation.Logits(session, images, [32], batchSize, new Synchronous(reported.Add));
        Assert.Equal(23, reported[^1]);
        for (int i = 0; i < 23; i++)
        {
            float[] one = session.Run(images[(i * 32)..(i * 32 + 32)], 1, 32);
            for (int c = 0; c < 10; c++)
                Assert.Equal(one[c], logits[i * 10 + c], 1e-5f);
        }
    }

    [Fact]
    public void Accuracy_counts_the_largest_logit()
    {
        Assert.Equal(0.75, Evaluation.Accuracy([0, 1, 1, 0, 2, 2, -1, -2], [1, 0, 0, 1]));
        Assert.Throws<OperatorException>(() => Evaluation.Accuracy([1, 2, 3], [0, 1]));
    }

    [Fact]
    public void Cancellation_stops_between_batches()
    {
        using var session = DovetailSession.Create(Model());
        using var source = new CancellationTokenSource();
        Assert.Throws<OperationCanceledException>(() => Evaluation.Logits(
            session, new float[320], [32], 2, new Synchronous(_ => source.Cancel()), source.Token));
    }

    [Fact]
    public void Calibration_finds_the_range_of_every_tensor()
    {
        float[] images = RandomLayer.Floats(50 * 32, new Random(4));
        using var session = DovetailSession.Create(Model());
        float[] logits = Evaluation.Logits(session, images, [32], 50);
        (float Min, float Max) range = Calibration.Ranges(Model(), ["Y"], images, [32], 7)["Y"];
        Assert.Equal(Math.Min(0, logits.Min()), range.Min, 1e-5f);
        Assert.Equal(Math.Max(0, logits.Max()), range.Max, 1e-5f);

        (float Min, float Max) most = Calibration.Ranges(Model(), ["Y"], images, [32], 7, percentile: 90)["Y"];
        float[] sorted = [.. logits.Order()];
        float binWidth = (range.Max - range.Min) / 4096;
        Assert.Equal(sorted[25], most.Min, 2 * binWidth);
        Assert.Equal(sorted[^26], most.Max, 2 * binWidth);
        Assert.Contains(
            "no output 'Z'", Assert.Throws<OperatorException>(() => Calibration.Ranges(Model(), ["Z"], images, [32], 7)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void A_session_that_is_disposed_of_does_not_run()
    {
        var session = DovetailSession.Create(Model());
        session.Dispose();
        Assert.Throws<ObjectDisposedException>(() => session.Run(new float[32], 1, 32));
    }

    /// <summary>Without graph optimizations ONNX Runtime ignores the wish, and a comparison would trust saturated sums.</summary>
    [Fact]
    public void Exact_integers_without_optimizations_are_refused()
    {
        var options = new DovetailSessionOptions(1, OptimizeGraph: false, ExactIntegers: true);
        var error = Assert.Throws<OperatorException>(() => DovetailSession.Create(Model(), options));
        Assert.Contains("Leave OptimizeGraph true", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Capture_returns_inner_tensors()
    {
        float[] image = RandomLayer.Floats(32, new Random(5));
        IReadOnlyDictionary<string, CapturedTensor> captured = ActivationCapture.Capture(Model(), ["X", "Y"], image, [1, 32]);
        Assert.Equal(image, Assert.IsType<CapturedFloats>(captured["X"]).Values);
        using var session = DovetailSession.Create(Model());
        var y = Assert.IsType<CapturedFloats>(captured["Y"]);
        Assert.Equal([1, 10], y.Dimensions);
        Assert.Equal(session.Run(image, 1, 32), y.Values);
    }

    private static byte[] Model()
    {
        PackedTensor<float> weights = RandomLayer.Float32(Classifier.Layout, new Random(1));
        var matrix = new PackedTensor<float>(new CellLayout(weights.Pattern, WeightShape.Matrix(10, 32)), weights.Values, weights.Owners);
        return TestModels.PackedGemm(Classifier, matrix, null).ToBytes();
    }

    private sealed class Synchronous(Action<int> report) : IProgress<int>
    {
        public void Report(int value) => report(value);
    }
}
