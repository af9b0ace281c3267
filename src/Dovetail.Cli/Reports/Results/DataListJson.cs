namespace Dovetail.Cli.Reports.Results;

/// <summary>The JSON of <c>dovetail data list</c>.</summary>
public sealed record DataListJson(IReadOnlyList<DatasetJson> Datasets) : VerbResult;

public sealed record DatasetJson(string Name, int TrainImages, int TestImages, string Source);
