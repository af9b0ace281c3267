using System.Text.Json;
using System.Text.RegularExpressions;
using Dovetail.Cli.Reports.Results;

namespace Dovetail.Cli.Tests.Reports;

/// <summary>docs/result.md names every field of result.json under its object, and no other.</summary>
public sealed class ResultDocTests
{
    [Fact]
    public void Every_field_is_documented_and_every_documented_field_exists()
    {
        string doc = File.ReadAllText(Path.Combine(Repository.Root, "docs", "result.md"));
        using JsonDocument json = JsonDocument.Parse(ResultJson.Serialize(ResultFixture.Full()));
        var fields = new HashSet<string>();
        Collect(json.RootElement, fields);
        // "files[].name" counts as "name", and a cell may name several fields
        HashSet<string> documented = [.. Regex.Matches(doc, @"^\| (?<cell>`.*?) \|.*$", RegexOptions.Multiline)
            .SelectMany(
                row => Regex.Matches(
                    row.Groups["cell"].Value + (row.Value.Contains("| object |", StringComparison.Ordinal) ? row.Value : ""), "`([^`]+)`"))
            .Select(name => name.Groups[1].Value.Split('.')[^1])];
        HashSet<string> headings = [.. Regex.Matches(doc, @"^#+ (?<heading>`.*)$|^`(?<heading>training\..*)$", RegexOptions.Multiline)
            .SelectMany(row => Regex.Matches(row.Value, "`([^`]+)`"))
                .SelectMany(name => name.Groups[1].Value.Replace("[]", "", StringComparison.Ordinal).Split('.'))];
        Assert.Equal([], fields.Except(documented).Except(headings));
        Assert.Equal([], documented.Except(fields));
    }

    [Fact]
    public void Every_type_of_the_result_is_documented_field_by_field()
    {
        string doc = File.ReadAllText(Path.Combine(Repository.Root, "docs", "result.md"));
        var seen = new HashSet<Type>();
        foreach (string name in Names(typeof(CodesignResult), seen))
            Assert.Matches($@"`([a-z_]+(\[\])?\.)?{name}(\[\])?`", doc);
        Assert.True(seen.Count > 15, $"only {seen.Count} records were reached");
    }

    private static IEnumerable<string> Names(Type type, HashSet<Type> seen)
    {
        if (type.IsGenericType)
            type = type.GetGenericArguments()[0];
        if (type.Namespace != typeof(CodesignResult).Namespace || !seen.Add(type))
            yield break;
        foreach (System.Reflection.PropertyInfo property in type.GetProperties().Where(property => property.CanWrite))
        {
            yield return JsonNamingPolicy.SnakeCaseLower.ConvertName(property.Name);
            foreach (string name in Names(property.PropertyType, seen))
                yield return name;
        }
    }

    private static void Collect(JsonElement element, HashSet<string> names)
    {
        if (element.ValueKind == JsonValueKind.Array)
            foreach (JsonElement item in element.EnumerateArray())
                Collect(item, names);
        if (element.ValueKind == JsonValueKind.Object)
            foreach (JsonProperty property in element.EnumerateObject())
            {
                names.Add(property.Name);
                Collect(property.Value, names);
            }
    }
}
