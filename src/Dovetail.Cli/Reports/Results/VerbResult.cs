using System.Text.Json.Serialization;

namespace Dovetail.Cli.Reports.Results;

/// <summary>
/// What a verb writes with <c>--json</c>: properties in snake case, units in names (docs/json.md). Names and meanings are stable:
/// a schema may gain fields, and whatever else changes raises its version.
/// </summary>
public abstract record VerbResult
{
    [JsonPropertyOrder(-1)]
    public int SchemaVersion { get; init; } = 1;
}
