using CsCheck;
using Dovetail.Accelerator.Config;
using Dovetail.Accelerator.Mapping;
using Dovetail.Accelerator.Simulation;
using Dovetail.Core.Packing;
using Dovetail.Core.Patterns;
using Dovetail.Core.Workloads;

namespace Dovetail.Accelerator.Tests.Simulation;

public sealed class CycleSimulatorTests
{
    private const ulong Seed = 20261123;

    internal static readonly Gen<ArrayConfig> Arrays =
        from rows in Gen.Int[1, 9]
        from columns in Gen.Int[1, 21]
        from lanes in Gen.OneOfConst(1, 2, 5, 8, 16)
        from cluster in Gen.Int[1, 5]
        from registered in Gen.Bool
        from ifmap in Gen.OneOfConst(64, 1 << 16)
        from ofmap in Gen.OneOfConst(64, 1 << 16)
        select ArrayConfig.Dense(rows, columns) with
        {
            Pattern = lanes == 1 ? ComplementaryPattern.Dense : new ComplementaryPattern(1, lanes),
            ClusterColumns = cluster,
            RegisteredSelection = registered,
            IfmapSramBytes = ifmap,
            OfmapSramBytes = ofmap,
        };

    private static readonly Gen<(ArrayConfig Config, PackedLayer Layer, byte[] Activations, FoldSchedule Schedule)> Cases =
        from config in Arrays
        from layer in TestLayers.Layer(config.Lanes == 1 ? 16 : config.Lanes)
        from overlapped in Gen.Bool
        select (config, layer.Layer, layer.Activations, overlapped ? FoldSchedule.Overlapped : FoldSchedule.Serial);

    [Fact]
    public void Outputs_equal_the_brute_force_product_of_the_unpacked_weights() =>
        Cases.ForAll(
            400, Seed,
            test => Assert.Equal(
                TestLayers.Accumulators(test.Layer, test.Activations),
                CycleSimulator.RunLayer(test.Config, test.Layer, test.Activations, test.Schedule).Accumulators),
            Print);

    [Fact]
    public void Every_count_equals_the_closed_form() =>
        Cases.ForAll(
            400, Seed,
            test =>
            {
                LayerCounts counted = CycleSimulator.RunLayer(test.Config, test.Layer, test.Activations, test.Schedule).Counts;
                LayerCounts computed = ClosedForm.Simulate(test.Config, test.Layer, test.Schedule);
                Assert.Equal(computed.Events, counted.Events);
                Assert.Equal(computed.Dram, counted.Dram);
                Assert.Equal(computed, counted);
                Assert.InRange(counted.Utilization, 0, 1);
            },
            Print);

    [Fact]
    public void The_fast_array_equals_the_obvious_one_in_sums_and_cycles() =>
        (from config in Arrays
         from pixels in Gen.Int[1, 9]
         from seed in Gen.Int
         select (config, pixels, seed)).ForAll(
            200, Seed,
            test =>
            {
                (ArrayConfig config, int pixels, int seed) = test;
                ArrayTile tile = RandomTile(config, pixels, seed);
                ArrayTileResult result = new WeightStationaryArray(config).Run(tile);
                Assert.Equal(config.Rows, result.LoadCycles);
                Assert.Equal(config.StreamCycles(pixels), result.StreamCycles);
                int[,] bottom = NaiveArray.BottomSums(config, tile, (int)result.StreamCycles);
                for (int p = 0; p < pixels; p++)
                    for (int c = 0; c < config.Columns; c++)
                    {
                        Assert.Equal(config.OutputCycle(p, c), result.OutputCycle(p, c));
                        Assert.Equal(bottom[result.OutputCycle(p, c), c], result.PartialSum(p, c));
                    }
            });

    [Fact]
    public void A_second_fold_on_the_same_array_sees_nothing_of_the_first()
    {
        ArrayConfig config = ArrayConfig.Complementary(6, 10, new ComplementaryPattern(1, 8));
        var used = new WeightStationaryArray(config);
        used.Run(RandomTile(config, 7, 1));
        ArrayTile tile = RandomTile(config, 5, 2);
        Assert.Equal(new WeightStationaryArray(config).Run(tile).PartialSums, used.Run(tile).PartialSums);
    }

    [Fact]
    public void The_dense_array_computes_what_the_complementary_one_does_in_more_cycles()
    {
        var workload = new LayerWorkload(
            "conv", "Conv", 32, 49, 9 * 64, new ConvolutionGeometry(7, 7, 3, 3, PadTop: 1, PadLeft: 1, PadBottom: 1, PadRight: 1));
        var pattern = new ComplementaryPattern(1, 16);
        (PackedLayer layer, byte[] activations) = TestLayers.Fill(workload, pattern, 11);
        LayerSimulation dense = CycleSimulator.RunLayer(ArrayConfig.Dense(16, 16), layer, activations);
        LayerSimulation complementary = CycleSimulator.RunLayer(ArrayConfig.Complementary(16, 16, pattern), layer, activations);
        Assert.Equal(dense.Accumulators, complementary.Accumulators);
        Assert.Equal(dense.Counts.Events.UsefulMacs, 16 * complementary.Counts.Events.UsefulMacs);
        Assert.InRange((double)dense.Counts.Cycles / complementary.Counts.Cycles, 10, 16);
    }

    [Fact]
    public void Saturated_operands_add_up_without_wrapping()
    {
        // The largest magnitudes: every x − 128 is −128 and every weight −128.
        var workload = new LayerWorkload("gemm", "Gemm", 5, 3, 64);
        var layout = new CellLayout(ComplementaryPattern.Dense, WeightShape.Matrix(5, 64));
        var weights = new sbyte[5 * 64];
        weights.AsSpan().Fill(-128);
        var layer = new PackedLayer(
            workload, Packer.Pack<sbyte>(weights, layout, scales: new float[5]), "in", "out", new LayerQuantization(1, 255, 1, 0, null));
        int[] sums = CycleSimulator.RunLayer(ArrayConfig.Dense(8, 4), layer, new byte[3 * 64]).Accumulators;
        Assert.All(sums, sum => Assert.Equal(64 * -255 * -128, sum));
    }

    internal static ArrayTile RandomTile(ArrayConfig config, int pixels, int seed)
    {
        var random = new Random(seed);
        var weights = new sbyte[config.PeCount];
        var owners = new byte[config.PeCount];
        for (int i = 0; i < weights.Length; i++)
            (weights[i], owners[i]) = ((sbyte)random.Next(-128, 128), (byte)random.Next(config.Lanes));
        var lanes = new sbyte[pixels * config.Rows * config.Lanes];
        for (int i = 0; i < lanes.Length; i++)
            lanes[i] = (sbyte)random.Next(-128, 128);
        return new ArrayTile(config.Rows, config.Columns, config.Lanes, pixels, weights, owners, lanes);
    }

    private static string Print((ArrayConfig Config, PackedLayer Layer, byte[] Activations, FoldSchedule Schedule) test) =>
        $"{test.Config}\n{test.Layer.Workload}\n{test.Layer.Weights.Pattern} {test.Schedule}";
}
