namespace Dovetail.Onnx.Pruning;

/// <summary>Why a layer stays dense.</summary>
/// <param name="Words">For a report, e.g. "1 channel is fewer than the group, 16".</param>
public sealed record DenseReason(DenseCause Cause, string Words);

/// <summary>The kinds of reasons.</summary>
public enum DenseCause
{
    /// <summary>The pattern does not fit its shape, or none of the candidates does.</summary>
    DoesNotFit,

    /// <summary>It is the fully connected layer at the end, and <see cref="PruningOptions.Head"/> is false.</summary>
    Head,

    /// <summary>The allocation keeps it dense.</summary>
    Allocated,

    /// <summary>The budget is a latency, and the layer's was not measured.</summary>
    NotMeasured,

    /// <summary>No pattern was asked for it.</summary>
    NotAsked,

    /// <summary>It reads the weights of a layer that stays dense, or that prunes them in another form.</summary>
    Shared,

    /// <summary>A weight is NaN or infinite.</summary>
    NotFinite,
}
