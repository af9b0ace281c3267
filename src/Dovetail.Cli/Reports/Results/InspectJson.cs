using Dovetail.Onnx.Inspection;

namespace Dovetail.Cli.Reports.Results;

/// <summary>The JSON of <c>dovetail inspect</c>.</summary>
/// <param name="FileBytes">Of the whole file; <paramref name="Bytes"/> are those of the layers' weights.</param>
public sealed record InspectJson(
    string File, string Format, string? DeclaredPattern, long FileBytes, long Weights, long NonZeros, double Sparsity, long Bytes,
    long DenseBytes,
    IReadOnlyList<LayerInspection> Layers) : VerbResult;
