namespace Dovetail.Onnx.Pruning;

/// <summary>What a budget counts.</summary>
public enum CostUnit
{
    /// <summary>Multiply-accumulates for one input.</summary>
    Macs,

    /// <summary>Of packed weights in a file.</summary>
    Bytes,

    /// <summary>Nanoseconds, measured.</summary>
    Latency,
}
