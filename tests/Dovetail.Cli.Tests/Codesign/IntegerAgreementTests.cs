using Dovetail.Cli.Codesign;
using Dovetail.Cli.Reports.Results;
using Dovetail.Core.Packing;
using Dovetail.Core.Patterns;
using Dovetail.Core.Workloads;
using Dovetail.Onnx.Model;

namespace Dovetail.Cli.Tests.Codesign;

/// <summary>What the checks of the int8 network say of logits and layers that are made up here.</summary>
public sealed class IntegerAgreementTests
{
    private const int Images = 20, Classes = 10;
    private const float Step = 0.25f;

    private static readonly float[] s_logits = [.. Enumerable.Range(0, Images * Classes).Select(i => Step * (i * 37 % 101 - 50))];

    [Fact]
    public void Equal_logits_need_no_second_look()
    {
        EqualityCheck check = Logits(
            hasPool: false, exact => exact ? throw new InvalidOperationException() : s_logits, _ => throw new InvalidOperationException());
        Assert.Equal(("equal", 0.0, (long)s_logits.Length), (check.Status, check.MaxDifference, check.Compared));
    }

    [Theory]
    [InlineData(1, true, "within tolerance")]
    [InlineData(1, false, "different")]
    [InlineData(2, true, "different")]
    public void One_step_is_allowed_behind_a_pool(int steps, bool hasPool, string status)
    {
        EqualityCheck check = Logits(hasPool, _ => Off(steps, 57), _ => true);
        Assert.Equal((status, steps), (check.Status, check.MaxDifference));
        Assert.Contains($"1 of {s_logits.Length} logits", check.Detail, StringComparison.Ordinal);
    }

    /// <summary>The faster integers are off, the exact ones are not: they are what is compared.</summary>
    [Fact]
    public void Exact_integers_decide_where_the_faster_ones_differ()
    {
        EqualityCheck check = Logits(
            hasPool: false, exact => exact ? s_logits : Off(6, 3, 57, 120), _ => throw new InvalidOperationException());
        Assert.Equal(("equal", 0.0), (check.Status, check.MaxDifference));
        Assert.Contains("exact path", check.Detail, StringComparison.Ordinal);
    }

    /// <summary>Both paths are off, and so are ONNX Runtime's own layers on every image that differs: nothing is said.</summary>
    [Fact]
    public void Where_onnx_runtime_is_off_nothing_is_said()
    {
        var asked = new List<int>();
        EqualityCheck check = Logits(hasPool: true, _ => Off(6, 3, 57, 120), image =>
        {
            asked.Add(image);
            return false;
        });
        Assert.Equal([0, 5, 12], asked);
        Assert.Equal("skipped", check.Status);
        Assert.Contains("differ from the scalar reference", check.Detail, StringComparison.Ordinal);
    }

    /// <summary>One image that ONNX Runtime computes exactly and that differs is enough: the difference is ours.</summary>
    [Fact]
    public void A_difference_on_an_exact_image_is_ours() =>
        Assert.Equal("different", Logits(hasPool: true, _ => Off(6, 3, 57, 120), image => image == 12).Status);

    [Fact]
    public void The_measure_counts_what_differs_from_a_plain_loop()
    {
        CapturedLayer exact = Layer("1:1"), off = exact with { Output = (byte[])exact.Output!.Clone() };
        off.Output![3] ^= 1;
        off.Output[17] += 9;
        int values = exact.Output.Length;
        Assert.Equal(new OnnxRuntimeInt8Info("network", 2, 2 * values, 0, 0), OnnxRuntimeIntegers.Compare("network", 2, [exact, exact]));
        Assert.Equal(
            new OnnxRuntimeInt8Info("network", 2, 2 * values, 1.0 / values, 9), OnnxRuntimeIntegers.Compare("network", 2, [off, exact]));
        Assert.Equal((true, false), (OnnxRuntimeIntegers.AreExact([exact]), OnnxRuntimeIntegers.AreExact([exact, off])));
        CapturedLayer packed = Layer("2:4") with { Output = off.Output };
        Assert.True(OnnxRuntimeIntegers.AreExact([packed, exact with { Output = null }])); // ours, and one that nothing is known of
    }

    [Fact]
    public void Packed_layers_are_the_reference_or_different()
    {
        CapturedLayer packed = Layer("2:4"), dense = Layer("1:1") with { Output = new byte[40] };
        EqualityCheck check = IntegerAgreement.WithReference([packed, dense]);
        Assert.Equal(("equal", 40L), (check.Status, check.Compared));
        packed.Output![8] ^= 4;
        check = IntegerAgreement.WithReference([dense, packed]);
        Assert.Equal(("different", 4.0, 0.0), (check.Status, check.MaxDifference, check.Tolerance));
        Assert.Equal("skipped", IntegerAgreement.WithReference([dense]).Status);
    }

    [Fact]
    public void Convolutions_that_differ_are_skipped_only_where_onnx_runtime_is_off()
    {
        CapturedLayer sparse = Convolution("1:1"), packed = Convolution("1:1"); // one that stays dense: ONNX Runtime runs it in both
        Assert.Equal("equal", IntegerAgreement.OfConvolutions([sparse], [packed]).Status);
        CapturedLayer off = packed with { Output = (byte[])packed.Output!.Clone() };
        off.Output![2] ^= 2;
        Assert.Equal("skipped", IntegerAgreement.OfConvolutions([sparse], [off]).Status);
        CapturedLayer ours = Convolution("2:4"); // other weights, each exact: the graphs differ
        Assert.Equal("different", IntegerAgreement.OfConvolutions([sparse], [ours]).Status);
        Assert.Equal("skipped", IntegerAgreement.OfConvolutions([Layer("1:1")], [Layer("1:1")]).Status);
    }

    private static EqualityCheck Logits(bool hasPool, Func<bool, float[]> packed, Func<int, bool> isExact) =>
        IntegerAgreement.OfLogits(Network(hasPool), Images, exact => (s_logits, packed(exact)), isExact);

    private static float[] Off(int steps, params int[] at)
    {
        var logits = (float[])s_logits.Clone();
        foreach (int i in at)
            logits[i] += steps * Step;
        return logits;
    }

    /// <summary>As much of a QDQ network as the check reads: whether it pools, and its last scale.</summary>
    private static OnnxModel Network(bool hasPool)
    {
        var model = new OnnxModel(new ModelProto
        {
            IrVersion = 8,
            Graph = new GraphProto { Name = "network" },
            OpsetImports = { new OperatorSetIdProto { Version = 17 } },
        });
        model.Nodes.Add(new NodeProto(hasPool ? "GlobalAveragePool" : "Identity", "pool", ["x"], ["p"]));
        model.Nodes.Add(new NodeProto("QuantizeLinear", "quantize", ["p", "scale", "zero"], ["q"]));
        model.Nodes.Add(new NodeProto("DequantizeLinear", "dequantize", ["q", "scale", "zero"], ["logits"]));
        model.AddInitializer(TensorData.Scalar("scale", Step));
        model.AddInitializer(TensorData.Scalar("zero", (byte)128));
        model.Graph.Inputs.Add(ValueInfoProto.Tensor("x", OnnxType.Float, "n", 10));
        model.Graph.Outputs.Add(ValueInfoProto.Tensor("logits", OnnxType.Float, "n", 10));
        return model;
    }

    private static CapturedLayer Layer(string pattern) => Layer(pattern, null, 5);

    private static CapturedLayer Convolution(string pattern) => Layer(pattern, new ConvolutionGeometry(1, 5, 1, 1), 5);

    /// <summary>8 outputs of 8 inputs, 5 rows or pixels; what it made is computed here.</summary>
    private static CapturedLayer Layer(string pattern, ConvolutionGeometry? geometry, int rows)
    {
        const int width = 8;
        const byte inputZero = 100, outputZero = 30;
        const float inputScale = 0.02f, outputScale = 0.7f;
        var random = new Random(5);
        WeightShape shape = geometry is null ? WeightShape.Matrix(width, width) : new WeightShape([width, width, 1, 1]);
        var layout = new CellLayout(ComplementaryPattern.Parse(pattern), shape);
        var dense = new sbyte[width * width];
        for (int i = 0; i < dense.Length; i++)
            dense[i] = (sbyte)random.Next(-128, 128);
        bool[] mask = Projection.Project(Array.ConvertAll(dense, weight => Math.Abs((float)weight)), layout);
        for (int i = 0; i < dense.Length; i++)
            dense[i] = mask[i] ? dense[i] : (sbyte)0;
        float[] scales = [.. Enumerable.Range(1, width).Select(m => 0.01f * m)];
        int[] bias = [.. Enumerable.Range(0, width).Select(m => 500 * m - 2000)];
        var input = new byte[rows * width];
        random.NextBytes(input);
        var output = new byte[rows * width];
        for (int row = 0; row < rows; row++)
            for (int m = 0; m < width; m++)
            {
                int sum = bias[m];
                for (int k = 0; k < width; k++)
                    sum += (input[row * width + k] - inputZero) * dense[m * width + k];
                float steps = MathF.Round(sum * (inputScale * scales[m] / outputScale), MidpointRounding.ToEven);
                output[row * width + m] = (byte)Math.Clamp(steps + outputZero, 0, 255);
            }

        Assert.True(output.Distinct().Count() > 10, "The layer makes too few values.");
        var workload = new LayerWorkload("layer", geometry is null ? "Gemm" : "Conv", width, rows, width, geometry);
        var quantization = new LayerQuantization(inputScale, inputZero, outputScale, outputZero, bias);
        PackedTensor<sbyte> weights = Packer.Pack<sbyte>(dense, layout, mask, scales);
        return new CapturedLayer(new PackedLayer(workload, weights, "x", "y", quantization), input, output);
    }
}
