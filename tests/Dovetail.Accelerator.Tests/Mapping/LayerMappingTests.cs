using Dovetail.Accelerator.Config;
using Dovetail.Accelerator.Mapping;
using Dovetail.Accelerator.Simulation;
using Dovetail.Accelerator.Tests.Simulation;
using Dovetail.Core.Packing;
using Dovetail.Core.Patterns;
using Dovetail.Core.Workloads;

namespace Dovetail.Accelerator.Tests.Mapping;

public sealed class LayerMappingTests
{
    private static readonly LayerWorkload Product = new("fc", "Gemm", 10, 3, 40);

    [Fact]
    public void Folds_cover_every_slot_of_every_output_once()
    {
        var workload = new LayerWorkload("conv", "Conv", 14, 25, 4 * 5, new ConvolutionGeometry(6, 6, 2, 2, Groups: 2));
        var mapping = new LayerMapping(
            ArrayConfig.Complementary(3, 4, ComplementaryPattern.Parse("1:2")), workload, ComplementaryPattern.Parse("1:2"));
        var seen = new int[14, mapping.Slots];
        foreach (ArrayFold fold in mapping.Folds())
        {
            Assert.Equal(fold.FirstSlot == 0, fold.IsFirst);
            Assert.Equal(fold.FirstSlot + fold.Slots == mapping.Slots, fold.IsLast);
            Assert.Equal(fold.ConvolutionGroup, (fold.FirstOutput + fold.Outputs - 1) / 7);
            for (int m = fold.FirstOutput; m < fold.FirstOutput + fold.Outputs; m++)
                for (int s = fold.FirstSlot; s < fold.FirstSlot + fold.Slots; s++)
                    seen[m, s]++;
        }

        Assert.Equal(4 * 3, mapping.Slots);
        Assert.All(seen.Cast<int>(), count => Assert.Equal(1, count));
        Assert.Equal(mapping.FoldCount, mapping.Folds().Count());
    }

    [Fact]
    public void Lanes_carry_the_window_and_padding_is_the_zero_point()
    {
        // A 2×2 map of 4 channels, 3×3 filter, padding 1; pixel 0's tap 0 is outside, its tap 4 is position 0.
        var geometry = new ConvolutionGeometry(2, 2, 3, 3, PadTop: 1, PadLeft: 1, PadBottom: 1, PadRight: 1);
        var pattern = ComplementaryPattern.Parse("1:4");
        (PackedLayer layer, _) = TestLayers.Fill(new LayerWorkload("conv", "Conv", 2, 4, 36, geometry), pattern, 3);
        byte[] activations = [.. Enumerable.Range(0, 16).Select(i => (byte)(10 * i))];
        var mapping = LayerMapping.Of(ArrayConfig.Complementary(9, 4, pattern), layer);
        ArrayTile tile = mapping.Tile(mapping.Folds().Single(), mapping.WeightsOf(layer), activations, 130);
        Assert.All(tile.Activations[..4], lane => Assert.Equal(2, lane));
        Assert.Equal([-128, -118, -108, -98], tile.Activations[16..20].Select(lane => (int)lane));
        Assert.Equal(layer.Weights.Owners[..9], Enumerable.Range(0, 9).Select(r => tile.Owners[r * 4]));
        Assert.All(tile.Weights.Where((_, at) => at % 4 >= 2), weight => Assert.Equal(0, weight));
    }

    [Fact]
    public void Bare_shapes_with_fewer_channels_than_the_group_stay_dense()
    {
        ArrayConfig config = ArrayConfig.Complementary(4, 4, ComplementaryPattern.Parse("1:16"));
        Assert.Equal("1:1", LayerMapping.Of(config, new LayerWorkload("a", "Gemm", 4, 4, 15)).Pattern.ToString());
        Assert.Equal("1:16", LayerMapping.Of(config, new LayerWorkload("a", "Gemm", 4, 4, 16)).Pattern.ToString());
        var thin = new ConvolutionGeometry(5, 5, 3, 3);
        Assert.Equal("1:1", LayerMapping.Of(config, new LayerWorkload("a", "Conv", 4, 9, 9 * 8, thin)).Pattern.ToString());
    }

    [Fact]
    public void What_the_array_cannot_execute_is_refused()
    {
        ArrayConfig config = ArrayConfig.Complementary(4, 4, ComplementaryPattern.Parse("1:8"));
        (PackedLayer good, byte[] activations) = TestLayers.Fill(Product, ComplementaryPattern.Parse("1:8"), 1);
        (PackedLayer wide, _) = TestLayers.Fill(Product, ComplementaryPattern.Parse("1:16"), 1);
        (PackedLayer output, _) = TestLayers.Fill(Product, ComplementaryPattern.Parse("1:8/out"), 1);
        var floating = good with { Weights = Packer.Pack<float>(new float[400], good.Weights.Layout) };
        Refused(config, wide, activations, "1:16");
        Refused(config, output, activations, "input-axis");
        Refused(config, floating, activations, "int8");
        Refused(config, good with { Quantization = null }, activations, "no quantization");
        Refused(config, good with { Workload = Product with { K = 41 } }, activations, "shape");
        Refused(config, good, activations[1..], "119 activations, expected 120");
        Refused(ArrayConfig.Dense(4, 4) with { Dataflow = Dataflow.OutputStationary }, good, activations, "closed form only");
        Refused(ArrayConfig.Dense(4, 4) with { ActivationBits = 4 }, good, activations, "8×8+32");
        Assert.Contains("geometry", Assert.Throws<AcceleratorException>(() =>
            ClosedForm.Simulate(config, new LayerWorkload("c", "Conv", 4, 8, 9 * 8, new ConvolutionGeometry(5, 5, 3, 3)))).Message,
                StringComparison.Ordinal);
    }

    private static void Refused(ArrayConfig config, PackedLayer layer, byte[] activations, string message)
    {
        var error = Assert.Throws<AcceleratorException>(() => CycleSimulator.RunLayer(config, layer, activations));
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }
}
