using Dovetail.Accelerator.Simulation;
using Dovetail.Core.Packing;
using Dovetail.Core.Patterns;
using Dovetail.Core.Workloads;

namespace Dovetail.Accelerator.Tests.Simulation;

public sealed class RequantizationTests
{
    private static readonly PackedLayer Layer = new(
        new LayerWorkload("fc", "Gemm", 2, 3, 1),
        Packer.Pack<sbyte>([1, 1], new CellLayout(ComplementaryPattern.Dense, WeightShape.Matrix(2, 1)), scales: [0.5f, 1f]),
        "in", "out", new LayerQuantization(1, 0, 1, 10, [1, 0]));

    [Fact]
    public void Bias_scale_ties_and_saturation_follow_the_definition() =>
        Assert.Equal(
            // (0 + 1)/2 = 0.5 → 0, (2 + 1)/2 = 1.5 → 2, (−100 + 1)/2 = −49.5 → −50 → 0; −3, 300 and 245 saturate or not.
            [10, 7, 12, 255, 0, 255],
            Requantization.Apply(Layer, [0, -3, 2, 300, -100, 245]).Select(y => (int)y));

    [Fact]
    public void Relu_stops_at_the_zero_point() =>
        Assert.Equal([10, 10, 12, 255, 10, 254], Requantization.Apply(Layer, [0, -3, 2, 300, -100, 244], relu: true).Select(y => (int)y));

    [Fact]
    public void A_buffer_of_another_size_is_refused() =>
        Assert.Contains(
            "5 accumulators, expected 6", Assert.Throws<AcceleratorException>(() => Requantization.Apply(Layer, new int[5])).Message,
            StringComparison.Ordinal);
}
