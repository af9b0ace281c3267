namespace Dovetail.Cli.Reports.Results;

/// <summary>The JSON of <c>dovetail run --input</c>.</summary>
/// <param name="Written">Paths of the output files.</param>
/// <param name="Top">For each input its greatest classes; null where the output is no classifier's, or only files were asked for.</param>
public sealed record RunJson(
    string Model, IReadOnlyList<RunInputJson> Inputs, IReadOnlyList<RunOutputJson> Outputs, IReadOnlyList<string> Written,
    IReadOnlyList<IReadOnlyList<ClassScore>>? Top) : VerbResult;

public sealed record RunInputJson(string Name, IReadOnlyList<string> Files, IReadOnlyList<long> Shape);

public sealed record RunOutputJson(string Name, IReadOnlyList<long> Shape);
