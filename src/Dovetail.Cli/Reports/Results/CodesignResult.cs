using Dovetail.Benchmarking;

namespace Dovetail.Cli.Reports.Results;

/// <summary>
/// Everything that a codesign job found; <c>result.json</c> is this record in snake case, and
/// <c>report.html</c> is a function of it alone. Names are stable (docs/result.md); units stand in names.
/// </summary>
public sealed record CodesignResult : VerbResult
{
    /// <summary>The older name of <see cref="VerbResult.SchemaVersion"/>, with the same number.</summary>
    public int FormatVersion { get; init; } = 1;

    public required int Seed { get; init; }
    public required EnvironmentInfo Environment { get; init; }
    public required DataInfo Data { get; init; }
    public required ModelInfo Model { get; init; }

    /// <summary>As given, e.g. "1:16".</summary>
    public required string Pattern { get; init; }

    /// <summary>Share of zeros in the layers that the pattern covers.</summary>
    public required double Sparsity { get; init; }

    public required TrainingPair Training { get; init; }
    public required AccuracyInfo Accuracy { get; init; }
    public required BytesInfo Bytes { get; init; }

    /// <summary>Each proof that two executions of the same packed bytes agree.</summary>
    public required IReadOnlyList<EqualityCheck> Equality { get; init; }

    /// <summary>By how much ONNX Runtime's own int8 layers are off on this CPU; empty in files of older versions.</summary>
    public IReadOnlyList<OnnxRuntimeInt8Info> OnnxRuntimeInt8 { get; init; } = [];

    public required SpeedInfo Speed { get; init; }
    public required AcceleratorInfo Accelerator { get; init; }
    public required RtlInfo Rtl { get; init; }
    public required MaskPicture Mask { get; init; }

    /// <summary>The files of the output folder.</summary>
    public required IReadOnlyList<OutputFile> Files { get; init; }

    /// <summary>One command a table: what to type to see its figures again.</summary>
    public required IReadOnlyList<ReproduceCommand> Commands { get; init; }

    /// <summary>What a reader must know to judge the figures (sample data, interrupted training, missing tools).</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];
}

public sealed record EnvironmentInfo(
    string Version, string Commit, string Cpu, int Cores, string Isa, string Os, string Runtime,
    string OnnxRuntime, string Torch, string Command, double TotalSeconds, double PeakMemoryMegabytes);

/// <param name="Name">"fashion-mnist", "fashion-mnist-sample" or a folder's name.</param>
/// <param name="Source">Where the files came from, in words.</param>
/// <param name="ValidationImages">Held out of the training images.</param>
public sealed record DataInfo(string Name, string Source, int TrainImages, int ValidationImages, int TestImages);

/// <param name="Weights">Weights of all Conv, Gemm and MatMul layers.</param>
/// <param name="Macs">Dense multiply-accumulates for one input.</param>
public sealed record ModelInfo(
    string Name, long Weights, long NonZeroWeights, long Macs, long NonZeroMacs, IReadOnlyList<LayerInfo> Layers);

/// <param name="M">Outputs.</param>
/// <param name="N">Columns (pixels) of one input.</param>
/// <param name="K">Inputs of one output.</param>
/// <param name="Pattern">Null where the layer stays dense.</param>
/// <param name="Reason">Why it stays dense; null where packed.</param>
public sealed record LayerInfo(
    string Name, string Op, string Shape, int M, int N, int K, string? Pattern, string? Reason,
    double Sparsity, long DenseBytes, long PackedBytes, long PackedInt8Bytes);

public sealed record TrainingPair(TrainingInfo Dense, TrainingInfo Complementary);

/// <param name="Method">"dense", "growing", "srste", "static".</param>
public sealed record TrainingInfo(string Method, int Epochs, double Seconds, bool Interrupted, IReadOnlyList<EpochInfo> History);

/// <param name="OwnerTurnover">Share of owners that changed during the epoch; 0 for dense training.</param>
public sealed record EpochInfo(
    int Epoch, double Loss, double TrainAccuracy, double ValidationAccuracy, double Density, double OwnerTurnover, double Seconds);

/// <summary>Test accuracies, 0 to 1.</summary>
/// <param name="Complementary">Sparse ONNX in plain ONNX Runtime.</param>
/// <param name="Packed">Packed ONNX in ONNX Runtime with our operators.</param>
/// <param name="DenseInt8">Dense int8 QDQ in plain ONNX Runtime.</param>
/// <param name="SparseInt8">Sparse int8 QDQ in plain ONNX Runtime.</param>
/// <param name="Int8">Packed int8 with our operators.</param>
public sealed record AccuracyInfo(double Dense, double Complementary, double Packed, double DenseInt8, double SparseInt8, double Int8);

/// <summary>Bytes of the whole files, and of the covered layers' weights alone.</summary>
public sealed record BytesInfo(
    long Dense, long Sparse, long Packed, long DenseInt8, long PackedInt8, long PackedSafetensors,
    long WeightsDense, long WeightsPacked, long WeightsPackedInt8);

/// <param name="Status">"equal" (bit for bit), "within tolerance", "different", "failed" or "skipped".</param>
/// <param name="Compared">How many numbers were compared.</param>
public sealed record EqualityCheck(string Name, string Status, long Compared, double MaxDifference, double Tolerance, string Detail);

/// <summary>ONNX Runtime's own int8 layers, each against the scalar reference on the same input.</summary>
/// <param name="Network">"dense int8" or "sparse int8", both QDQ.</param>
/// <param name="Values">uint8 outputs compared.</param>
/// <param name="DifferingShare">Of them, those that differ, 0 to 1; 0 where ONNX Runtime is exact.</param>
/// <param name="MaxDifferenceSteps">The greatest difference, in quantization steps.</param>
public sealed record OnnxRuntimeInt8Info(string Network, int Images, long Values, double DifferingShare, int MaxDifferenceSteps);

public sealed record SpeedInfo(
    int Threads, int Batch, double NetworkRatio, double DenseMs, double PackedMs, int Rounds, IReadOnlyList<LayerSpeedInfo> Layers);

/// <summary>Medians, and 10th percentiles beside them, which files of older versions do not have.</summary>
public sealed record LayerSpeedInfo(
    string Name, string Op, int M, int N, int K, string Pattern, string Dtype, string Kernel,
    double DenseUs, double PackedUs, double Ratio, double UsefulGflops,
    double? DenseP10Us = null, double? PackedP10Us = null, double? RatioP10 = null)
{
    public static LayerSpeedInfo Of(LayerResult layer) => new(
        layer.Workload.Name, layer.Workload.Op, layer.Workload.M, layer.Workload.N, layer.Workload.K, layer.Pattern.ToString(),
        layer.DType.ToString().ToLowerInvariant(), layer.Kernel, layer.Dense.MedianMicroseconds, layer.Packed.MedianMicroseconds,
        layer.Ratio,
        layer.UsefulGflops, layer.Dense.P10Microseconds, layer.Packed.P10Microseconds, layer.RatioP10);
}

public sealed record AcceleratorInfo(
    int Rows, int Cols, string Dataflow, int ClusterColumns, double ClockMegahertz,
    long DenseCycles, long ComplementaryCycles, double Speedup,
    double Utilization, double DenseUtilization,
    double DenseEnergyPicojoules, double ComplementaryEnergyPicojoules,
    double RelativeArea, double ThroughputPerArea, string AreaMethod, string EnergySource,
    IReadOnlyList<AcceleratorLayerInfo> Layers);

/// <summary>m, n, k as SCALE-Sim names them: m output pixels, n filters, k window.</summary>
public sealed record AcceleratorLayerInfo(
    string Name, int M, int N, int K, AcceleratorCounts Dense, AcceleratorCounts Complementary);

public sealed record AcceleratorCounts(
    long Cycles, double Utilization, long IfmapReads, long FilterReads, long OfmapWrites, long DramBytes, double EnergyPicojoules);

/// <param name="Status">"equal" or "skipped"; with "different" or "failed" (a tool did not work) the job ends with an error after the
/// report.</param>
/// <param name="Reason">Why it was skipped, and what to install; null where equal.</param>
public sealed record RtlInfo(
    string Status, string? Reason, int Tiles, long Cycles, int Rows, int Cols, string? Layer, int Pixels, IReadOnlyList<string> Files);

/// <summary>The mask of a part of a layer in matrix order: one bit a weight, little bit order, rows padded to a byte.</summary>
public sealed record MaskPicture(string Layer, int Rows, int Columns, int TotalRows, int TotalColumns, string Pattern, string BitsBase64);

public sealed record OutputFile(string Name, long Bytes, string Description);

public sealed record ReproduceCommand(string Table, string Command);
