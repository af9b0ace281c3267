namespace Dovetail.Benchmarking.Tests;

public sealed class MachineLoadTests
{
    [Theory]
    [InlineData(1.84, 2, 1, "This machine is busy (other work takes 1.8 of 2 cores, and the measurement 1): compare the p10 columns.")]
    [InlineData(1.2, 2, 1, null)]
    [InlineData(0.1, 2, 2, null)]
    [InlineData(0.4, 2, 2, "This machine is busy (other work takes 0.4 of 2 cores, and the measurement 2): compare the p10 columns.")]
    [InlineData(0.6, 1, 1, "This machine is busy (other work takes 0.6 of 1 core, and the measurement 1): compare the p10 columns.")]
    [InlineData(60.0, 64, 4, null)]
    public void A_busy_machine_is_said_to_be_busy(double busy, int processors, int threads, string? note) =>
        Assert.Equal(note, new MachineLoad(busy, processors).Note(threads));

    /// <summary>Of 200 ticks of two processors 130 were idle or waited for a disk; 0.2 processors were this process's own.</summary>
    [Fact]
    public void Load_is_what_others_did_between_two_readings()
    {
        const string Before = "cpu  100 5 50 1000 20 1 2 3 7 0\ncpu0 50 5 25 500 10 1 1 1 0 0\ncpu1 50 0 25 500 10 0 1 2 0 0\nintr 12\n";
        const string After = "cpu  140 5 70 1120 30 3 5 5 9 0\ncpu0 70 5 35 560 15 2 2 2 0 0\ncpu1 70 0 35 560 15 1 3 3 0 0\nintr 15\n";
        MachineLoad? load = MachineLoad.Between(Before, After, own: 0.2);
        Assert.Equal(2, load!.Processors);
        Assert.Equal(2 * 67.0 / 197 - 0.2, load.Busy, 9);
        Assert.Equal(0, MachineLoad.Between(Before, After, own: 2)!.Busy);
        Assert.Null(MachineLoad.Between(Before, Before, own: 0));
        Assert.Null(MachineLoad.Between("no such file", After, own: 0));
        Assert.Equal(load, MachineLoad.Greater(MachineLoad.Greater(null, load), new MachineLoad(0.1, 2)));
    }
}
