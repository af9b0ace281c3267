namespace Dovetail.Cli.Reports.Results;

/// <summary>The JSON of <c>dovetail zoo list</c>.</summary>
public sealed record ZooListJson(IReadOnlyList<ZooModelJson> Models) : VerbResult;

/// <param name="InputShape">In words, with the input's name: "input [batch, 784]".</param>
public sealed record ZooModelJson(string Name, string Description, string InputName, string InputShape);
