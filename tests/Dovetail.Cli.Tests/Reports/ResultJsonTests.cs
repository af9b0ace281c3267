using System.Text.Json;
using System.Text.Json.Nodes;
using Dovetail.Cli.Reports;
using Dovetail.Cli.Reports.Results;
using Dovetail.Core;

namespace Dovetail.Cli.Tests.Reports;

public sealed class ResultJsonTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("dovetail-result-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Result_survives_the_file()
    {
        foreach (CodesignResult result in (CodesignResult[])[
            ResultFixture.Full(), ResultFixture.RtlSkipped(), ResultFixture.Untrained(), ResultFixture.Bare(), HtmlReportTests.Hostile()])
        {
            string path = Path.Combine(_folder, "result.json");
            ResultJson.Write(path, result);
            CodesignResult read = ResultJson.Read(path);
            Assert.Equivalent(result, read, strict: true);
            Assert.Equal(ResultJson.Serialize(result), ResultJson.Serialize(read));
            Assert.Equal(HtmlReport.Render(result), HtmlReport.Render(read));
            Assert.Equal("result.json", Path.GetFileName(Assert.Single(Directory.GetFiles(_folder))));
        }
    }

    [Theory]
    [InlineData("seed", "7")]
    [InlineData("data.name", "\"fashion-mnist\"")]
    [InlineData("data.train_images", "55000")]
    [InlineData("data.test_images", "10000")]
    [InlineData("pattern", "\"1:16\"")]
    [InlineData("sparsity", "0.9375")]
    [InlineData("accuracy.dense", "0.9187")]
    [InlineData("accuracy.complementary", "0.9093")]
    [InlineData("accuracy.packed", "0.9093")]
    [InlineData("accuracy.int8", "0.9081")]
    [InlineData("bytes.dense", "1497213")]
    [InlineData("bytes.packed", "131264")]
    [InlineData("bytes.packed_int8", "58911")]
    [InlineData("speed.threads", "1")]
    [InlineData("speed.network_ratio", "5.13")]
    [InlineData("speed.dense_ms", "21.4")]
    [InlineData("speed.packed_ms", "4.17")]
    [InlineData("accelerator.rows", "16")]
    [InlineData("accelerator.cols", "16")]
    [InlineData("accelerator.dense_cycles", null)]
    [InlineData("accelerator.complementary_cycles", null)]
    [InlineData("accelerator.speedup", null)]
    [InlineData("accelerator.utilization", "0.712")]
    [InlineData("rtl.status", "\"equal\"")]
    [InlineData("rtl.tiles", "4")]
    [InlineData("rtl.cycles", "1196")]
    public void Name_is_pinned(string path, string? value)
    {
        JsonNode? node = JsonNode.Parse(ResultJson.Serialize(ResultFixture.Full()));
        foreach (string name in path.Split('.'))
            node = node![name];
        Assert.NotNull(node);
        Assert.Equal(path is "data.name" or "pattern" or "rtl.status" ? JsonValueKind.String : JsonValueKind.Number, node.GetValueKind());
        if (value is not null)
            Assert.Equal(value, node.ToJsonString());
    }

    [Theory]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    public void Figure_that_is_not_a_number_is_refused_with_its_place(double figure)
    {
        CodesignResult full = ResultFixture.Full();
        string path = Path.Combine(_folder, "result.json");
        ReportException error = Assert.Throws<ReportException>(() =>
            ResultJson.Write(path, full with { Speed = full.Speed with { NetworkRatio = figure } }));
        Assert.Contains("$.Speed.NetworkRatio", error.Message, StringComparison.Ordinal);
        Assert.Contains("expected a finite number", error.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(_folder));
    }

    [Theory]
    [InlineData("", "not a result")]
    [InlineData("{", "not a result")]
    [InlineData("null", "holds null")]
    [InlineData("[]", "not a result")]
    [InlineData("{\"seed\": 1}", "environment")]
    [InlineData("\u0000\u0001PNG", "not a result")]
    public void Wrong_file_is_refused(string text, string told)
    {
        string path = Path.Combine(_folder, "wrong.json");
        File.WriteAllText(path, text);
        ReportException error = Assert.Throws<ReportException>(() => ResultJson.Read(path));
        Assert.Contains(path, error.Message, StringComparison.Ordinal);
        Assert.Contains(told, error.Message, StringComparison.Ordinal);
        Assert.Contains("dovetail codesign", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Each_missing_or_null_field_is_refused_by_name()
    {
        JsonObject whole = JsonNode.Parse(ResultJson.Serialize(ResultFixture.Full()))!.AsObject();
        string path = Path.Combine(_folder, "result.json");
        foreach (string name in whole.Select(field => field.Key).Except(["schema_version", "format_version", "notes", "onnx_runtime_int8"])
            .ToArray())
        {
            JsonObject cut = whole.DeepClone().AsObject();
            cut.Remove(name);
            File.WriteAllText(path, cut.ToJsonString());
            Assert.Contains(name, Assert.Throws<ReportException>(() => ResultJson.Read(path)).Message, StringComparison.Ordinal);
            cut[name] = null;
            File.WriteAllText(path, cut.ToJsonString());
            Assert.Contains(name, Assert.Throws<ReportException>(() => ResultJson.Read(path)).Message, StringComparison.OrdinalIgnoreCase);
        }
    }

    [Fact]
    public void Newer_format_is_refused_and_newer_fields_are_not()
    {
        JsonObject whole = JsonNode.Parse(ResultJson.Serialize(ResultFixture.Full()))!.AsObject();
        string path = Path.Combine(_folder, "result.json");
        whole["a_later_field"] = 1;
        File.WriteAllText(path, whole.ToJsonString());
        Assert.Equal(7, ResultJson.Read(path).Seed);
        foreach (string version in (string[])["schema_version", "format_version"]) // the second is its older name
        {
            whole.Remove("schema_version");
            whole.Remove("format_version");
            Assert.Equal(7, ReadBack(whole, path).Seed);
            whole[version] = 2;
            Assert.Contains(
                "schema_version 2", Assert.Throws<ReportException>(() => ReadBack(whole, path)).Message, StringComparison.Ordinal);
        }

        static CodesignResult ReadBack(JsonObject result, string path)
        {
            File.WriteAllText(path, result.ToJsonString());
            return ResultJson.Read(path);
        }
    }

    [Fact]
    public void Missing_file_and_missing_folder_are_told()
    {
        string path = Path.Combine(_folder, "nowhere", "result.json");
        Assert.Contains(path, Assert.Throws<ReportException>(() => ResultJson.Read(path)).Message, StringComparison.Ordinal);
        Assert.Contains(
            path, Assert.ThrowsAny<DovetailException>(() => ResultJson.Write(path, ResultFixture.Full())).Message,
            StringComparison.Ordinal);
        Assert.ThrowsAny<DovetailException>(() => HtmlReport.Write(path, ResultFixture.Full()));
    }
}
