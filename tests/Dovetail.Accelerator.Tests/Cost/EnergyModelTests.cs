using Dovetail.Accelerator.Config;
using Dovetail.Accelerator.Cost;
using Dovetail.Accelerator.Simulation;
using Dovetail.Core.Patterns;

namespace Dovetail.Accelerator.Tests.Cost;

public sealed class EnergyModelTests
{
    [Fact]
    public void Each_class_is_its_events_times_the_published_energy()
    {
        ArrayConfig config = ArrayConfig.Complementary(16, 16, ComplementaryPattern.Parse("1:16")) with
        {
            IfmapSramBytes = 8 * 8192,
            FilterSramBytes = 8 * 32768,
            OfmapSramBytes = 8 << 20,
        };
        var events = new EventCounts
        {
            Macs = 1000,
            IfmapReads = 800,
            FilterReads = 80,
            OwnerReads = 16,
            OfmapWrites = 20,
            OfmapReads = 20,
            LaneWrites = 10,
            OperandWrites = 10,
            PartialSumWrites = 10,
            StationaryWrites = 10,
        };
        EnergyBreakdown energy = EnergyModel.Of(config, events, new DramTraffic(8, 8, 8));
        Assert.Equal(1000 * 0.2, energy.MultiplyPicojoules, 1e-9);
        Assert.Equal(1000 * 0.1, energy.AddPicojoules, 1e-9);
        Assert.Equal(1000 * 15 * 8 * 0.00057, energy.SelectPicojoules, 1e-9);
        Assert.Equal((20 * 8 + 10 * 32 + 10 * 12) * 0.009, energy.RegisterPicojoules, 1e-9);
        Assert.Equal(800 / 8 * 10, energy.IfmapSramPicojoules, 1e-9);
        Assert.Equal((80 + 8) / 8 * 20, energy.FilterSramPicojoules, 1e-9);
        Assert.Equal(40 * 4 / 8 * 100, energy.OfmapSramPicojoules, 1e-9);
        Assert.Equal(3 * 1300, energy.DramPicojoules, 1e-9);
    }

    [Fact]
    public void A_complementary_layer_takes_less_energy_than_the_dense_one()
    {
        // Multiplications, weights and partial sums shrink with the density; inputs and outputs are the same.
        var pattern = ComplementaryPattern.Parse("1:16");
        var shape = new Accelerator.Mapping.GemmShape(196, 256, 512);
        EnergyBreakdown dense = ClosedForm.Simulate(ArrayConfig.Dense(16, 16), shape).Energy;
        EnergyBreakdown complementary = ClosedForm.Simulate(ArrayConfig.Complementary(16, 16, pattern), shape).Energy;
        Assert.Equal(16, dense.MultiplyPicojoules / complementary.MultiplyPicojoules, 1e-9);
        Assert.Equal(dense.IfmapSramPicojoules, complementary.IfmapSramPicojoules, 1e-6);
        Assert.True(complementary.DramPicojoules < dense.DramPicojoules);
        double onChip = complementary.TotalPicojoules - complementary.DramPicojoules,
            denseOnChip = dense.TotalPicojoules - dense.DramPicojoules;
        Assert.True(onChip < denseOnChip / 2, $"{complementary} against {dense}");
    }
}
