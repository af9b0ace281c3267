namespace Dovetail.Cli.Reports.Results;

/// <summary>The JSON of <c>dovetail quantize</c>.</summary>
/// <param name="Method">"minmax", "percentile" or "entropy".</param>
/// <param name="Percentile">Null where the method has none.</param>
/// <param name="SignalToNoiseDb">Of the first output, int8 against fp32, on the calibration inputs.</param>
/// <param name="Agreement">Share of inputs whose greatest output is the same; null where the output is no [inputs, classes].</param>
/// <param name="Accuracy">Null without labelled test images.</param>
public sealed record QuantizeJson(
    string File, string Method, double? Percentile, bool PerChannel, bool ReduceRange, int Layers, int FloatLayers, int Inputs,
    QuantizedBytesJson Bytes, double SignalToNoiseDb, double? Agreement, QuantizedAccuracyJson? Accuracy) : VerbResult;

/// <summary>Of the whole files.</summary>
public sealed record QuantizedBytesJson(long Fp32, long Int8);

/// <param name="Images">Test images.</param>
public sealed record QuantizedAccuracyJson(int Images, double Fp32, double Int8);
