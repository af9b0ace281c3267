namespace Dovetail.Cli.Reports.Results;

/// <summary>The JSON of <c>dovetail run --data</c>.</summary>
public sealed record RunDataJson(string Model, string Data, string Source, int TestImages, double Accuracy) : VerbResult;
