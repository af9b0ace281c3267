using Dovetail.Benchmarking.Costs;
using Dovetail.Core.Packing;
using Dovetail.Core.Patterns;
using Dovetail.Core.Workloads;
using Dovetail.Onnx.Layers;
using Dovetail.Onnx.Model;
using Dovetail.Onnx.Passes.Choose;
using Dovetail.Onnx.Passes.Pack;
using Dovetail.Onnx.Zoo;

namespace Dovetail.Benchmarking.Tests.Costs;

/// <summary>Decisions on a made-up machine, and that a real one can be calibrated; no time is asserted.</summary>
public sealed class CostModelTests
{
    private static readonly ComplementaryPattern s_pattern = new(1, 16);

    // 784-512-512-10: a packed node takes 5 µs more than a dense one, and packing saves 15/16 of 20 µs a million products.
    [Theory]
    [InlineData(1, "1:16|dense 6.2 µs, packed 6.3 µs predicted|dense 1.1 µs, packed 6.0 µs predicted")]
    [InlineData(4, "1:16|1:16|dense 1.4 µs, packed 6.0 µs predicted")]
    public void Layers_are_packed_where_their_products_outweigh_the_node(int batch, string expected)
    {
        var asked = new List<(string, ComplementaryPattern, DType)>();
        var model = new CostModel(
            (op, pattern, type) =>
            {
                asked.Add((op, pattern, type));
                return new CostCalibration(
                    new CalibrationKey("", op, pattern.ToString(), type, 1, ""), new SideCost(1, 20, 0, 0, 0), new SideCost(6, 20, 0, 0, 0),
                    new SideCost(0, 0, 0, 0, 0));
            },
            batch);
        PackingResult result = PackingPass.Pack(SparseMlp(), s_pattern, new PackingOptions { Faster = new FasterLayers(model) });
        Assert.Equal(expected, string.Join('|', result.Layers.Select(layer => layer.Pattern?.ToString() ?? layer.DenseReason)));
        Assert.Equal(("Gemm", s_pattern, DType.Float32), Assert.Single(asked)); // once for all layers
    }

    [Fact]
    public void Operands_of_bfloat16_have_a_calibration_of_their_own()
    {
        var asked = new List<DType>();
        var model = new CostModel(
            (op, pattern, type) =>
            {
                asked.Add(type);
                return new CostCalibration(
                    new CalibrationKey("", op, pattern.ToString(), type, 1, ""), new SideCost(1, 20, 0, 0, 0), new SideCost(0, 0, 1, 0, 0),
                    new SideCost(0, 0, 0, 0, 0));
            },
            bfloat16Operands: true);
        var workload = new LayerWorkload("fc", "Gemm", 512, 1, 1024);
        // values and owners, three bytes a weight
        Assert.Equal(512 * 64 * 3 / 1e6, model.PackedMicroseconds(workload, WeightShape.Matrix(512, 1024), s_pattern, quantized: false), 9);
        Assert.Equal(512 * 64 * 2 / 1e6, model.PackedMicroseconds(workload, WeightShape.Matrix(512, 1024), s_pattern, quantized: true), 9);
        Assert.Equal([DType.BFloat16, DType.Int8], asked);
    }

    [Theory]
    [InlineData("Gemm", "1:16", DType.Float32)]
    [InlineData("Conv", "2:32", DType.Int8)]
    [InlineData("Conv", "1:4/out", DType.Float32)]
    [InlineData("Gemm", "2:32", DType.BFloat16)]
    public void This_machine_can_be_calibrated(string op, string pattern, DType type)
    {
        var key = CalibrationKey.For("here", op, ComplementaryPattern.Parse(pattern), type, threads: 1);
        Assert.Contains(type switch { DType.Int8 => "u8s8", DType.BFloat16 => "bf16", _ => "f32" }, key.Kernel);
        var shares = new List<double>();
        CostCalibration found = CostCalibrator.Measure(key, new Shares(shares));
        Assert.Equal(key, found.Key);
        Assert.True(found.Dense.Microseconds(new LayerWork(1e9, 1e6, 1e6, 1e6)) > 0);
        Assert.True(found.Packed.Microseconds(new LayerWork(1e9, 1e6, 1e6, 1e6)) > 0);
        Assert.Equal(op == "Conv", found.Transpose.Microseconds(new LayerWork(0, 0, 1e6, 0)) > 0);
        Assert.Equal(shares.Order(), shares);
        Assert.Equal(1, shares[^1]);
    }

    [Fact]
    public void Calibration_ends_when_asked_to()
    {
        var key = CalibrationKey.For("here", "Gemm", s_pattern, DType.Float32, threads: 1);
        Assert.Throws<OperationCanceledException>(() => CostCalibrator.Measure(key, cancellation: new CancellationToken(canceled: true)));
    }

    private static OnnxModel SparseMlp()
    {
        OnnxModel model = ZooModels.Create("mlp", 1);
        foreach (WeightLayer layer in WeightLayers.Find(model))
            layer.ProjectOnto(s_pattern);
        return model;
    }

    private sealed class Shares(List<double> reported) : IProgress<double>
    {
        public void Report(double value) => reported.Add(value);
    }
}
