using Dovetail.Accelerator.Config;
using Dovetail.Accelerator.Mapping;
using Dovetail.Accelerator.Simulation;
using Dovetail.Rtl.Cosimulation;
using Dovetail.Rtl.Emit;

namespace Dovetail.Rtl.Tests.Cosimulation;

/// <summary>Scalar loop = simulator = Verilated RTL, bit for bit; simulator = RTL, cycle for cycle.</summary>
public sealed class TileCosimulationTests
{
    private static readonly int[] s_pixels = [1, 2, 3, 5, 8, 13, 40, 1, 17, 4];

    /// <summary>Few arrays, as each is a build of seconds; together they cover every parameter.</summary>
    public static TheoryData<int, int, string, int, bool, MultiplierStyle> Configurations => new()
    {
        { 4, 4, "1:16", 4, true, MultiplierStyle.Operator },      // the default array
        { 4, 4, "1:1", 1, false, MultiplierStyle.Operator },      // the dense one
        { 3, 7, "1:4", 4, true, MultiplierStyle.FullAdders },     // a narrower last cluster
        { 5, 6, "2:8", 2, false, MultiplierStyle.FullAdders },
        { 4, 3, "4:64", 1, true, MultiplierStyle.Operator },
        { 1, 1, "1:1", 4, true, MultiplierStyle.FullAdders },     // every chain at its shortest
        { 2, 9, "1:6", 4, false, MultiplierStyle.Operator },      // a group that is no power of two
    };

    [Theory]
    [MemberData(nameof(Configurations))]
    public void Rtl_equals_simulator_and_scalar_loop(
        int rows, int columns, string pattern, int cluster, bool registered, MultiplierStyle multiplier)
    {
        const int Seed = 20;
        ArrayConfig config = Arrays.Config(rows, columns, pattern, cluster, registered);
        var random = new Random(Seed);
        ArrayTile[] tiles = [.. s_pixels.Select(pixels => Arrays.Tile(config, pixels, random))];
        var simulator = new WeightStationaryArray(config);

        VerilatedArray rtl = new VerilatorDriver().Build(config, new RtlOptions(multiplier));
        IReadOnlyList<RtlTileResult> results = rtl.Run(tiles);
        IReadOnlyList<RtlTileResult> paused = rtl.Run(tiles, pauseSeed: 7);

        for (int t = 0; t < tiles.Length; t++)
        {
            string where = $"tile {t} of seed {Seed}, {tiles[t].Pixels} pixels";
            ArrayTileResult expected = simulator.Run(tiles[t]);
            Assert.True(Arrays.BruteForce(tiles[t]).AsSpan().SequenceEqual(expected.PartialSums), $"the simulator is wrong: {where}");
            Assert.Null(TileCosimulation.Compare(expected, results[t]));
            Assert.Equal(rows + tiles[t].Pixels + rows - 1 + config.Clusters - 1 + config.SelectionLatencyCycles, results[t].Cycles);
            Assert.True(expected.PartialSums.AsSpan().SequenceEqual(paused[t].PartialSums), $"pauses change a sum: {where}");
        }

        Assert.True(paused.Sum(result => result.Cycles) > results.Sum(result => result.Cycles), "the driver never paused");
    }
}
