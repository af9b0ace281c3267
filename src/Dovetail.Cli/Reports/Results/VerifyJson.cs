using Dovetail.Onnx.Inspection;

namespace Dovetail.Cli.Reports.Results;

/// <summary>The JSON of <c>dovetail verify</c> about a file that could be read.</summary>
public sealed record VerifyJson(
    string File, bool Readable, bool Satisfied, string Format, string? Pattern, Violation? FirstViolation,
    IReadOnlyList<Violation> Violations, IReadOnlyList<LayerVerdict> Layers) : VerbResult;
