namespace Dovetail.Cli.Reports.Results;

/// <summary>The JSON of <c>dovetail pack</c>.</summary>
/// <param name="PredictedFor">Null where every layer was packed that satisfies its pattern.</param>
public sealed record PackJson(string File, PackedBytesJson Bytes, PredictionBasisJson? PredictedFor, IReadOnlyList<PackedLayerJson> Layers)
    : VerbResult;

/// <summary>Of the whole files.</summary>
public sealed record PackedBytesJson(long Dense, long Packed);

/// <param name="LeastGain">The share of a layer's dense time that packing had to save.</param>
public sealed record PredictionBasisJson(string Cpu, int Batch, int Threads, double LeastGain);

/// <param name="Pattern">Null where the layer stays dense.</param>
/// <param name="DenseReason">Why it does; null where packed.</param>
/// <param name="Prediction">Null where its times were not asked for or are unknown.</param>
public sealed record PackedLayerJson(
    string Name, string? Pattern, string? DenseReason, long DenseBytes, long PackedBytes, PredictedTimesJson? Prediction);

/// <param name="TransposeUs">Of the Transposes at the borders of images in NHWC.</param>
public sealed record PredictedTimesJson(double DenseUs, double PackedUs, double TransposeUs);
