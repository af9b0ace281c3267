using Dovetail.Onnx.Inspection;

namespace Dovetail.Cli.Reports.Results;

/// <summary>The JSON of <c>dovetail expressiveness</c>.</summary>
/// <param name="Weights">The file, or "gaussian".</param>
/// <param name="Seed">Of the Gaussian matrix; null for a file.</param>
public sealed record ExpressivenessJson(
    string Weights, int? Seed, IReadOnlyList<FamilyPoint> Families, IReadOnlyList<LayerPoint> Layers, IReadOnlyList<string> Notes)
        : VerbResult;
