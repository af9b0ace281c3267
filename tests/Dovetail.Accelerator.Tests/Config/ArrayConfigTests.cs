using Dovetail.Accelerator.Config;
using Dovetail.Core.Patterns;

namespace Dovetail.Accelerator.Tests.Config;

public sealed class ArrayConfigTests
{
    [Fact]
    public void The_factories_make_the_arrays_of_the_timing_contract()
    {
        ArrayConfig dense = ArrayConfig.Dense(4, 10);
        Assert.Equal((1, 10, 0), (dense.Lanes, dense.Clusters, dense.SelectionLatencyCycles));
        Assert.Equal(2 * 4 + 10 + 7 - 2, dense.Rows + dense.StreamCycles(7));
        ArrayConfig complementary = ArrayConfig.Complementary(4, 10, ComplementaryPattern.Parse("1:16"));
        Assert.Equal((16, 3, 1), (complementary.Lanes, complementary.Clusters, complementary.SelectionLatencyCycles));
        Assert.Equal(7 + 3 + 2 + 1, complementary.StreamCycles(7));
        Assert.Equal(2 + 3 + 2 + 1, complementary.OutputCycle(2, 9));
    }

    [Fact]
    public void A_wrong_field_is_named()
    {
        ArrayConfig good = ArrayConfig.Dense(4, 4);
        var wrong = new (ArrayConfig Config, string Message)[]
        {
            (good with { Rows = 0 }, "0 rows"),
            (good with { Columns = 5000 }, "5000 columns"),
            (good with { ClusterColumns = 0 }, "0 columns in a cluster"),
            (good with { ActivationBits = 0 }, "0 bits in an activation"),
            (good with { WeightBits = 17 }, "17 bits in a weight"),
            (good with { AccumulatorBits = 15 }, "15 bits in an accumulator"),
            (good with { IfmapSramBytes = 0 }, "0 bytes of input buffer"),
            (good with { FilterSramBytes = -1 }, "-1 bytes of weight buffer"),
            (good with { OfmapSramBytes = 1 }, "1 bytes of output buffer"),
            (good with { SramBanks = 0 }, "0 SRAM banks"),
            (good with { DramBytesPerCycle = double.NaN }, "DRAM bandwidth"),
            (good with { ClockMegahertz = 0 }, "clock of 0 MHz"),
            (good with { Dataflow = (Dataflow)9 }, "Dataflow 9"),
            (good with { Pattern = ComplementaryPattern.Parse("1:8/out") }, "input-axis"),
            (good with { Pattern = ComplementaryPattern.Parse("1:8"), Dataflow = Dataflow.OutputStationary }, "WeightStationary"),
        };
        foreach ((ArrayConfig config, string message) in wrong)
        {
            var error = Assert.Throws<AcceleratorException>(config.Validated);
            Assert.Contains(message, error.Message, StringComparison.Ordinal);
        }
    }
}
