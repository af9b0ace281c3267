using CsCheck;
using Dovetail.Accelerator.Config;
using Dovetail.Accelerator.Cost;
using Dovetail.Accelerator.Mapping;
using Dovetail.Accelerator.Simulation;
using Dovetail.Core.Patterns;
using Dovetail.Core.Workloads;

namespace Dovetail.Accelerator.Tests.Simulation;

public sealed class ClosedFormTests
{
    private static readonly Gen<ArrayConfig> Arrays =
        from rows in Gen.OneOf(Gen.Int[1, 3], Gen.Int[1, 40])
        from columns in Gen.OneOf(Gen.Int[1, 3], Gen.Int[1, 40])
        from dataflow in Gen.Enum<Dataflow>()
        from lanes in Gen.OneOfConst(1, 2, 4, 16)
        select (dataflow == Dataflow.WeightStationary && lanes > 1
            ? ArrayConfig.Complementary(rows, columns, new ComplementaryPattern(1, lanes))
            : ArrayConfig.Dense(rows, columns)) with
        { Dataflow = dataflow };

    [Fact]
    public void Utilization_is_at_most_one_and_overlap_is_never_slower()
    {
        bool everFaster = false;
        (from config in Arrays from workload in TestLayers.Workload select (config, workload)).ForAll(
            2000, 20261123,
            test =>
            {
                LayerCounts serial = ClosedForm.Simulate(test.config, test.workload);
                LayerCounts overlapped = ClosedForm.Simulate(test.config, test.workload, FoldSchedule.Overlapped);
                Assert.InRange(serial.Utilization, 0, 1);
                Assert.InRange(overlapped.Utilization, 0, 1);
                Assert.True(overlapped.Cycles <= serial.Cycles);
                Assert.Equal(serial.Events with { Cycles = 0 }, overlapped.Events with { Cycles = 0 });
                everFaster |= overlapped.Cycles < serial.Cycles;
            });
        Assert.True(everFaster);
    }

    [Theory]
    [InlineData(Dataflow.OutputStationary)]
    [InlineData(Dataflow.WeightStationary)]
    [InlineData(Dataflow.InputStationary)]
    public void A_single_PE_is_never_used_more_than_always(Dataflow dataflow)
    {
        // Output-stationary, one PE: k cycles a fold, all of them useful, so that SCALE-Sim's −1 would give more than 1.
        LayerCounts counts = ClosedForm.Simulate(ArrayConfig.Dense(1, 1) with { Dataflow = dataflow }, new GemmShape(1, 1, 1));
        Assert.Equal(dataflow == Dataflow.OutputStationary ? 1 : 0.5, counts.Utilization);
    }

    [Fact]
    public void A_full_array_with_a_long_stream_is_nearly_all_useful()
    {
        LayerCounts counts = ClosedForm.Simulate(ArrayConfig.Dense(16, 16), new GemmShape(10_000, 16, 16));
        Assert.InRange(counts.Utilization, 0.99, 1);
    }

    [Fact]
    public void Weights_owners_and_outputs_are_counted_in_their_packed_sizes()
    {
        // 4:64 on 256 inputs: 16 slots an output, 6 bits an owner.
        ArrayConfig config = ArrayConfig.Complementary(16, 16, ComplementaryPattern.Parse("4:64"));
        LayerCounts counts = ClosedForm.Simulate(config, new LayerWorkload("fc", "Gemm", 32, 10, 256));
        Assert.Equal(new DramTraffic(10 * 256, 32 * 16 + 32 * 16 * 6 / 8, 10 * 32), counts.Dram);
        Assert.Equal(2, counts.Events.Folds);
    }

    [Fact]
    public void Buffers_that_are_too_small_cost_refetches_and_spills()
    {
        // 64 inputs on 16 rows: 4 slot folds; 32 outputs on 16 columns: 2 output folds; 100 pixels.
        var workload = new LayerWorkload("fc", "Gemm", 32, 100, 64);
        ArrayConfig roomy = ArrayConfig.Dense(16, 16);
        Assert.Equal(new DramTraffic(6400, 2048, 3200), ClosedForm.Simulate(roomy, workload).Dram);
        ArrayConfig tight = roomy with { IfmapSramBytes = 2 * 6400 - 1, OfmapSramBytes = 2 * 6400 - 1 };
        Assert.Equal(new DramTraffic(2 * 6400, 2048, 3200 + 2 * 3 * 2 * 6400), ClosedForm.Simulate(tight, workload).Dram);
        ArrayConfig just = roomy with { IfmapSramBytes = 2 * 6400, OfmapSramBytes = 2 * 6400 };
        Assert.Equal(ClosedForm.Simulate(roomy, workload).Dram, ClosedForm.Simulate(just, workload).Dram);
        ArrayConfig inputStationary = roomy with { Dataflow = Dataflow.InputStationary, FilterSramBytes = 4095 };
        Assert.Equal(7 * 2048, ClosedForm.Simulate(inputStationary, workload).Dram.FilterBytes);
        Assert.Equal(2048, ClosedForm.Simulate(inputStationary with { FilterSramBytes = 4096 }, workload).Dram.FilterBytes);
        ArrayConfig outputStationary = roomy with { Dataflow = Dataflow.OutputStationary, IfmapSramBytes = 2047 };
        Assert.Equal(2 * 6400, ClosedForm.Simulate(outputStationary, workload).Dram.IfmapBytes);
        Assert.Equal(6400, ClosedForm.Simulate(outputStationary with { IfmapSramBytes = 2048 }, workload).Dram.IfmapBytes);
    }

    [Fact]
    public void A_network_is_the_sum_of_its_layers()
    {
        ArrayConfig config = ArrayConfig.Dense(8, 8);
        LayerWorkload[] layers = [new("a", "Gemm", 10, 20, 30), new("b", "Gemm", 5, 20, 10)];
        NetworkSimulation network = NetworkSimulation.Closed(config, layers);
        LayerCounts[] alone = [.. layers.Select(layer => ClosedForm.Simulate(config, layer))];
        Assert.Equal(alone[0].Cycles + alone[1].Cycles, network.TotalCycles);
        Assert.Equal(alone[0].Events + alone[1].Events, network.Events);
        Assert.Equal(alone[0].Dram + alone[1].Dram, network.Dram);
        Assert.Equal(alone[0].EnergyPicojoules + alone[1].EnergyPicojoules, network.Energy.TotalPicojoules, 1e-6);
        Assert.Equal(7000.0 / (64.0 * (network.TotalCycles + 2)), network.Utilization, 1e-12);
    }
}
