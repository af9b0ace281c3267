namespace Dovetail.Cli.Reports.Results;

/// <summary>The JSON of <c>dovetail zoo write</c>.</summary>
/// <param name="LayersProjected">How many satisfy the pattern; 0 without one.</param>
public sealed record ZooWriteJson(string File, long Bytes, int Seed, string? Pattern, int LayersProjected) : VerbResult;
