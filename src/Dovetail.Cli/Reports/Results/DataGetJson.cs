namespace Dovetail.Cli.Reports.Results;

/// <summary>The JSON of <c>dovetail data get</c>.</summary>
public sealed record DataGetJson(string Name, int TrainImages, int TestImages, string Source) : VerbResult;
