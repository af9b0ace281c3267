using Dovetail.Onnx.Inspection;
using Dovetail.Onnx.Layers;

namespace Dovetail.Cli.Reports.Results;

/// <summary>The JSON of <c>dovetail inspect</c>.</summary>
/// <param name="FileBytes">Of the whole file, with its external data; <paramref name="Bytes"/> are those of the layers' weights.</param>
/// <param name="OtherNodes">Nodes that multiply as layers do and have no weights that patterns apply to.</param>
public sealed record InspectJson(
    string File, string Format, string? DeclaredPattern, long FileBytes, long Weights, long NonZeros, double Sparsity, long Bytes,
    long DenseBytes,
    IReadOnlyList<LayerInspection> Layers, IReadOnlyList<OtherNode> OtherNodes) : VerbResult;
