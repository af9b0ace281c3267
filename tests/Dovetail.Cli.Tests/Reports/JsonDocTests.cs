using System.Collections;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;
using Dovetail.Cli.Reports.Results;
using Dovetail.Cli.Terminal;
using Dovetail.Core.Patterns;
using Dovetail.Onnx.Pruning;

namespace Dovetail.Cli.Tests.Reports;

/// <summary>docs/json.md has a section for each record that a verb writes, with its fields and their types in order, and no
/// other.</summary>
public sealed class JsonDocTests
{
    private static readonly NullabilityInfoContext s_nullability = new();

    /// <summary>The heading names the record: "## `dovetail pack` (PackJson)". result.json has a document of its own.</summary>
    public static TheoryData<string> Records => [.. ResultTypes().Select(type => type.Name)];

    [Theory]
    [MemberData(nameof(Records))]
    public void Every_field_of_a_verb_is_documented_with_its_type(string record)
    {
        Type type = ResultTypes().Single(type => type.Name == record);
        Assert.Equal(Fields(type, "").Select(field => $"| `{field.Name}` | {field.Type} |"), Documented()[record]);
    }

    [Fact]
    public void Every_documented_verb_exists() =>
        Assert.Equal(ResultTypes().Select(type => type.Name).Order(), Documented().Keys.Order());

    [Fact]
    public void Every_result_is_sealed_and_begins_with_its_version()
    {
        Assert.All(ResultTypes(), type => Assert.True(type.IsSealed, type.Name));
        string json = JsonSerializer.Serialize<object>(new DataGetJson("a", 1, 2, "b"), VerbOutput.JsonOptions);
        Assert.Matches(@"^\{\s*""schema_version"": 1,\s*""name"": ""a"",\s*""train_images"": 1,", json);
    }

    [Fact]
    public void Pruning_reads_the_latencies_that_bench_writes()
    {
        string path = Path.Combine(Directory.CreateTempSubdirectory().FullName, "bench.json");
        var layer = new LayerSpeedInfo(
            "fc1", "Gemm", 8, 1, 64, "1:16", "fp32", "kernel", DenseUs: 80, PackedUs: 9.5, Ratio: 8.4, UsefulGflops: 1);
        var bench = new BenchJson(
            "cpu", 1, 1, 1, "onnxruntime", "packed", "sync", 1, null, null, [],
            new NetworkSpeedJson(1, 1, 1, 1, 1, null, null, "none", 1, 1, 1), [], [layer], PeakJson.Of(1), VersionsJson.OfThisProgram);
        new VerbOutput(path).WriteJson(bench);
        LatencyTable table = LatencyTable.Load([path]);
        Directory.Delete(Path.GetDirectoryName(path)!, recursive: true);
        Assert.Equal((80_000, 9_500), (table.Nanoseconds("fc1", ComplementaryPattern.Dense), table.Nanoseconds("fc1", new(1, 16))));
    }

    [Fact]
    public void No_verb_writes_an_anonymous_object()
    {
        string[] files = Directory.GetFiles(Path.Combine(Repository.Root, "src", "Dovetail.Cli"), "*.cs", SearchOption.AllDirectories);
        Assert.True(files.Length > 50);
        Assert.DoesNotContain(files, file => Regex.IsMatch(File.ReadAllText(file), @"\bWriteJson\(\s*new\s*\{|static object Json\("));
    }

    private static IEnumerable<Type> ResultTypes() => typeof(VerbResult).Assembly.GetTypes()
        .Where(type => type.IsSubclassOf(typeof(VerbResult)) && type != typeof(CodesignResult));

    /// <summary>By record: the first two columns of its rows.</summary>
    private static Dictionary<string, string[]> Documented() => Regex
        .Matches(
            File.ReadAllText(Path.Combine(Repository.Root, "docs", "json.md")),
            @"^## .*\((?<record>\w+)\)\n(?<body>(?:(?!## ).*\n)*)", RegexOptions.Multiline)
        .ToDictionary(
            section => section.Groups["record"].Value,
            section => Regex.Matches(section.Groups["body"].Value, @"^\| `[^`]+` \| [^|]+ \|", RegexOptions.Multiline)
                .Select(row => row.Value).ToArray());

    /// <summary>In the order of the file; what lies in objects and lists follows its parent, with the path before its name.</summary>
    private static IEnumerable<(string Name, string Type)> Fields(Type type, string path)
    {
        IEnumerable<PropertyInfo> properties = type.GetProperties(BindingFlags.Public | BindingFlags.Instance)
            .Where(property => property.GetCustomAttribute<JsonIgnoreAttribute>() is null)
            .OrderBy(property => property.GetCustomAttribute<JsonPropertyOrderAttribute>()?.Order ?? 0);
        foreach (PropertyInfo property in properties)
        {
            string name = path + (property.GetCustomAttribute<JsonPropertyNameAttribute>()?.Name
                ?? JsonNamingPolicy.SnakeCaseLower.ConvertName(property.Name));
            bool isNullable = s_nullability.Create(property).ReadState == NullabilityState.Nullable;
            (string words, Type? inner, string step) = Words(Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType);
            yield return (name, words + (isNullable ? " or null" : ""));
            foreach ((string Name, string Type) field in inner is null ? [] : Fields(inner, name + step))
                yield return field;
        }
    }

    /// <param name="type">Not nullable.</param>
    /// <returns>The type in words; the record in it, if any, and what stands between its path and its fields.</returns>
    private static (string Words, Type? Inner, string Step) Words(Type type)
    {
        if (type == typeof(string))
            return ("text", null, "");
        if (type == typeof(bool))
            return ("boolean", null, "");
        if (type == typeof(int) || type == typeof(long))
            return ("integer", null, "");
        if (type == typeof(double) || type == typeof(float))
            return ("number", null, "");
        if (!type.IsAssignableTo(typeof(IEnumerable)))
            return ("object", type, ".");
        (string words, Type? inner, string step) = Words(type.GetGenericArguments().Single());
        return ($"list of {words}", inner, inner is null ? "" : "[]" + step);
    }
}
