using System.Text.Json;
using Dovetail.Core;
using Dovetail.Core.Patterns;
using Dovetail.Onnx.Pruning;
using Dovetail.Onnx.Zoo;

namespace Dovetail.Onnx.Tests.Pruning;

public sealed class LatencyTableTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    [Fact]
    public void Of_several_files_the_least_time_counts_and_what_was_not_measured_stays_dense()
    {
        Write("a.json", ("fc1", "1:8", 80, 20), ("fc2", "1:8", 50, 12));
        Write("b.json", ("fc1", "1:16", 82, 9.5), ("fc2", "1:16", 48, 13));
        LatencyTable table = LatencyTable.Load([_folder.File("a.json"), _folder.File("b.json")]);
        Assert.Equal(80_000, table.Nanoseconds("fc1", ComplementaryPattern.Dense));
        Assert.Equal(48_000, table.Nanoseconds("fc2", ComplementaryPattern.Dense));
        Assert.Equal(9_500, table.Nanoseconds("fc1", new(1, 16)));
        Assert.Equal(0, table.Nanoseconds("head", ComplementaryPattern.Dense));

        // within 22 µs: fc1 at 1:16 (9.5) with fc2 at 1:8 (12), where 1:16 is slower and keeps less
        var options = new AllocationOptions(
            AllocationMethod.CapturedEnergy, [new(1, 8), new(1, 16)], CostUnit.Latency, Budget.Parse("22")!, table);
        PruningResult result = PruningPass.Prune(ZooModels.Create("mlp", 1), options, new PruningOptions { Head = true });
        Assert.Equal(["1:16", "1:8", null], result.Layers.Select(l => l.Pattern?.ToString()));
        Assert.Equal(new DenseReason(DenseCause.NotMeasured, "it was not measured"), result.Layers[^1].Dense);
        Assert.Equal((21_500, 128_000), (result.Allocation!.Result.Cost, result.Allocation.DenseCost));
    }

    [Fact]
    public void What_is_no_measurement_of_this_model_is_refused()
    {
        File.WriteAllText(_folder.File("c.json"), "{\"layers\":[{\"name\":\"fc1\"}]}");
        Assert.StartsWith(
            $"'{_folder.File("c.json")}' holds no measured latencies, expected a JSON object with layers, each with name, pattern, "
            + "dense_us and packed_us: ",
            Message(() => LatencyTable.Load([_folder.File("c.json")])));
        Write("d.json", ("fc1", "1:8", 0, 1));
        Assert.Contains(
            "layer 'fc1' takes 0 µs under 1:1, expected a positive time", Message(() => LatencyTable.Load([_folder.File("d.json")])));
        Assert.Contains("cannot be read", Message(() => LatencyTable.Load([_folder.File("nowhere.json")])));
        Write("e.json", ("conv7", "1:8", 8, 2));
        var options = new AllocationOptions(
            AllocationMethod.CapturedEnergy, [new(1, 8)], CostUnit.Latency, Budget.Parse("22")!,
            LatencyTable.Load([_folder.File("e.json")]));
        Assert.Equal(
            "The latencies are of other layers (conv7); this model has fc1, fc2, head.",
            Message(() => PruningPass.Prune(ZooModels.Create("mlp", 1), options)));
        Assert.Contains(
            "AllocationOptions.Latencies", Message(() => PruningPass.Prune(ZooModels.Create("mlp", 1), options with { Latencies = null })));
    }

    [Theory]
    [InlineData("", true)]
    [InlineData("\"schema_version\":1,", true)]
    [InlineData("\"schema_version\":2,", false)]
    public void A_newer_schema_is_refused(string version, bool accepted)
    {
        string path = _folder.File("f.json");
        const string Layer = "{\"name\":\"fc1\",\"pattern\":\"1:8\",\"dense_us\":8,\"packed_us\":2,\"more\":null}";
        File.WriteAllText(path, $"{{{version}\"layers\":[{Layer}]}}");
        if (accepted)
            Assert.Equal(2_000, LatencyTable.Load([path]).Nanoseconds("fc1", new(1, 8)));
        else
            Assert.Equal(
                $"'{path}' has schema_version 2, and this version reads up to 1. Update dovetail, or run 'dovetail bench' again.",
                Message(() => LatencyTable.Load([path])));
    }

    [Theory]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("{\"layers\":null}")]
    [InlineData("{\"layers\":[null]}")]
    [InlineData("{\"layers\":[{\"name\":null,\"pattern\":\"1:8\",\"dense_us\":8,\"packed_us\":2}]}")]
    [InlineData("{\"layers\":[{\"name\":\"fc1\",\"pattern\":\"1:8\",\"dense_us\":\"8\",\"packed_us\":2}]}")]
    [InlineData("{\"layers\":[{\"name\":\"fc1\",\"pattern\":\"8\",\"dense_us\":8,\"packed_us\":2}]}")]
    public void Other_JSON_is_refused(string text)
    {
        File.WriteAllText(_folder.File("g.json"), text);
        Assert.StartsWith(
            $"'{_folder.File("g.json")}' holds no measured latencies", Message(() => LatencyTable.Load([_folder.File("g.json")])));
    }

    public void Dispose() => _folder.Dispose();

    private static string Message(Action action) => Assert.Throws<DovetailException>(action).Message;

    private void Write(string name, params (string Name, string Pattern, double Dense, double Packed)[] layers) => File.WriteAllText(
        _folder.File(name),
        JsonSerializer.Serialize(new
        {
            layers = layers.Select(l => new { name = l.Name, pattern = l.Pattern, dense_us = l.Dense, packed_us = l.Packed }),
        }));
}
