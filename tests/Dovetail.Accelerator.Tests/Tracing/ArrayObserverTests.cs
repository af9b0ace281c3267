using System.Globalization;
using System.Text;
using System.Text.Json;
using CsCheck;
using Dovetail.Accelerator.Config;
using Dovetail.Accelerator.Mapping;
using Dovetail.Accelerator.Simulation;
using Dovetail.Accelerator.Tests.Simulation;
using Dovetail.Accelerator.Tracing;
using Dovetail.Core.Packing;
using Dovetail.Core.Patterns;
using Dovetail.Core.Workloads;

namespace Dovetail.Accelerator.Tests.Tracing;

public sealed class ArrayObserverTests
{
    [Fact]
    public void Every_PE_is_seen_to_multiply_every_pixel_once_by_its_weight_and_to_add_up_its_column() =>
        Gen.Select(CycleSimulatorTests.Arrays, Gen.Int[1, 7], Gen.Int).ForAll(100, 20261126, test =>
        {
            (ArrayConfig config, int pixels, int seed) = test;
            ArrayTile tile = CycleSimulatorTests.RandomTile(config, pixels, seed);
            var seen = new Seen();
            new WeightStationaryArray(config, seen).Run(tile);
            Assert.Equal(pixels * config.PeCount, seen.Multiplied.Count);
            foreach ((int row, int column, PeState pe) in seen.Multiplied)
            {
                int at = row * config.Columns + column, sum = 0;
                Assert.Equal(tile.Weights[at], pe.Weight);
                Assert.Equal(tile.Owners[at], pe.Owner);
                Assert.Equal(Operand(row, at, pe.Pixel), pe.Operand);
                for (int r = 0; r <= row; r++)
                    sum += tile.Weights[r * config.Columns + column] * Operand(r, r * config.Columns + column, pe.Pixel);
                Assert.Equal(sum, pe.Sum);
            }

            Assert.Equal(
                seen.Multiplied.Count, seen.Multiplied.Select(pe => (pe.Row, pe.Column, pe.Pe.Pixel)).Distinct().Count());

            int Operand(int row, int at, int pixel) => tile.Activations[(pixel * config.Rows + row) * config.Lanes + tile.Owners[at]];
        }, test => test.ToString());

    [Theory]
    [InlineData(FoldSchedule.Serial)]
    [InlineData(FoldSchedule.Overlapped)]
    public void The_timeline_ends_with_the_elapsed_cycles_and_its_folds_follow_each_other(FoldSchedule schedule)
    {
        ArrayConfig config = ArrayConfig.Complementary(4, 4, new ComplementaryPattern(2, 4));
        (PackedLayer layer, byte[] activations) = Product();
        using var stream = new MemoryStream();
        LayerCounts counts;
        using (var trace = new TimelineTrace(stream, config))
            counts = CycleSimulator.RunLayer(config, layer, activations, schedule, trace).Counts;
        using JsonDocument json = JsonDocument.Parse(stream.ToArray());
        JsonElement[] events = [.. json.RootElement.GetProperty("traceEvents").EnumerateArray()
            .Where(one => one.GetProperty("ph").GetString() == "X")];
        JsonElement whole = Assert.Single(events, one => one.GetProperty("tid").GetInt32() == 1);
        Assert.Equal(counts.ElapsedCycles, whole.GetProperty("dur").GetInt64());
        (long Start, long Length)[] folds = [.. events.Where(one => one.GetProperty("tid").GetInt32() > 1)
            .Select(one => (one.GetProperty("ts").GetInt64(), one.GetProperty("dur").GetInt64())).Order()];
        long at = 0;
        foreach ((long start, long length) in folds)
        {
            Assert.Equal(at, start);
            at += length;
        }

        Assert.Equal(counts.ElapsedCycles, at);
        long nonZero = ((PackedTensor<sbyte>)layer.Weights).Values.Count(weight => weight != 0);
        Assert.Equal(nonZero * layer.Workload.N, events.Where(one => one.GetProperty("tid").GetInt32() == 3)
            .Sum(one => one.GetProperty("args").GetProperty("multiplications_by_weights_not_zero").GetInt64()));
    }

    [Theory]
    [InlineData(1, false)]
    [InlineData(4, true)]
    public void The_dump_holds_at_each_time_the_registers_of_every_PE(int lanes, bool registered)
    {
        ArrayConfig config = ArrayConfig.Dense(3, 5) with
        {
            Pattern = lanes == 1 ? ComplementaryPattern.Dense : new ComplementaryPattern(1, lanes),
            ClusterColumns = 2,
            RegisteredSelection = registered,
        };
        ArrayTile tile = CycleSimulatorTests.RandomTile(config, 6, 3);
        var seen = new Seen();
        using var stream = new MemoryStream();
        using (var trace = new VcdTrace(stream, config))
            new WeightStationaryArray(config, ArrayObservers.Both(seen, trace)).Run(tile);
        List<Dictionary<string, string>> times = ReadDump(Encoding.UTF8.GetString(stream.ToArray()));
        Assert.Equal(seen.Cycles.Count, times.Count);
        for (int n = 0; n < times.Count; n++)
            for (int r = 0; r < config.Rows; r++)
                for (int c = 0; c < config.Columns; c++)
                {
                    PeState pe = seen.Cycles[n][r * config.Columns + c];
                    string name = $"dovetail_array.gen_row[{r}].gen_cluster[{c / 2}].cluster.gen_pe[{c % 2}].pe.";
                    Assert.Equal(Convert.ToString((byte)pe.Weight, 2).PadLeft(8, '0'), times[n][name + "weight"]);
                    Assert.Equal(Convert.ToString((byte)pe.Selected, 2).PadLeft(8, '0'), times[n][name + "operand"]);
                    Assert.Equal(Convert.ToString(pe.Sum, 2).PadLeft(32, '0'), times[n][name + "sum"]);
                    if (lanes > 1)
                        Assert.Equal(Convert.ToString(pe.Owner, 2).PadLeft(2, '0'), times[n][name + "owner"]);
                }
    }

    [Fact]
    public void Watching_prints_a_line_for_each_cycle_and_row_with_pixel_operand_weight_owner_and_sum()
    {
        ArrayConfig config = ArrayConfig.Complementary(4, 4, new ComplementaryPattern(2, 4));
        (PackedLayer layer, byte[] activations) = Product();
        long cycles = ClosedForm.Simulate(config, layer, FoldSchedule.Serial).ElapsedCycles;
        var lines = new List<string>();
        var seen = new Seen();
        CycleSimulator.RunLayer(
            config, layer, activations, FoldSchedule.Serial, ArrayObservers.Both(new ArrayWatch(config, cycles, lines.Add), seen));
        Assert.Equal(cycles, lines.Count(line => line.StartsWith("cycle ", StringComparison.Ordinal)));
        Assert.Equal(4 * cycles, lines.Count(line => line.StartsWith("  row ", StringComparison.Ordinal)));
        string text = string.Join('\n', lines);
        foreach ((_, _, PeState pe) in seen.Multiplied)
            Assert.Contains($"{pe.Pixel}: {pe.Operand}×{pe.Weight}@{pe.Owner} → {pe.Sum}", text, StringComparison.Ordinal);
    }

    [Fact]
    public void What_nobody_could_read_is_refused_before_it_runs()
    {
        Assert.Contains("--rows 4 --cols 4", Assert.Throws<AcceleratorException>(
            () => new ArrayWatch(ArrayConfig.Dense(16, 16), 10, _ => { })).Message, StringComparison.Ordinal);
        Assert.Contains("smaller layer", Assert.Throws<AcceleratorException>(
            () => new ArrayWatch(ArrayConfig.Dense(4, 4), 1_000_000, _ => { })).Message, StringComparison.Ordinal);
        Assert.Contains("FILE.json", Assert.Throws<AcceleratorException>(
            () => VcdTrace.Check(ArrayConfig.Dense(16, 16), 1_000_000)).Message, StringComparison.Ordinal);
    }

    private static (PackedLayer Layer, byte[] Activations) Product() =>
        TestLayers.Fill(new LayerWorkload("g8", "Gemm", 8, 8, 8), new ComplementaryPattern(2, 4), 5);

    private static List<Dictionary<string, string>> ReadDump(string text)
    {
        var scopes = new List<string>();
        var names = new Dictionary<string, string>();
        var now = new Dictionary<string, string>();
        var times = new List<Dictionary<string, string>>();
        foreach (string line in text.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            string[] words = line.Split(' ');
            if (words[0] == "$scope")
                scopes.Add(words[2]);
            else if (words[0] == "$upscope")
                scopes.RemoveAt(scopes.Count - 1);
            else if (words[0] == "$var")
                names.Add(words[3], string.Join('.', [.. scopes, words[4]]));
            else if (line[0] == '#')
            {
                Assert.Equal(times.Count + 1, int.Parse(line.AsSpan(1), CultureInfo.InvariantCulture));
                now = new Dictionary<string, string>(now);
                times.Add(now);
            }
            else if (line[0] == 'b')
                now[names[words[1]]] = words[0][1..];
        }

        Assert.Empty(scopes);
        return times;
    }

    private sealed class Seen : IArrayObserver
    {
        public List<PeState[]> Cycles { get; } = [];

        public List<(int Row, int Column, PeState Pe)> Multiplied { get; } = [];

        public void BeginLayer(LayerMapping mapping)
        {
        }

        public void BeginPhase(ArrayPhase phase, int number, ArrayFold fold)
        {
        }

        public void Elapsed(ArrayCycle cycle)
        {
            var pes = new PeState[cycle.Config.PeCount];
            for (int r = 0; r < cycle.Config.Rows; r++)
                for (int c = 0; c < cycle.Config.Columns; c++)
                {
                    PeState pe = pes[r * cycle.Config.Columns + c] = cycle[r, c];
                    if (pe.Pixel >= 0)
                        Multiplied.Add((r, c, pe));
                }

            Cycles.Add(pes);
        }
    }
}
