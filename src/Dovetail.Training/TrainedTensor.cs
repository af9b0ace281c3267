namespace Dovetail.Training;

/// <summary>What a training does with one of the model's constants that its operators compute with.</summary>
/// <param name="Name">The initializer's.</param>
/// <param name="Dims">Its shape; empty for a scalar.</param>
/// <param name="IsDecayed">Whether weight decay pulls it to zero.</param>
/// <param name="Reason">What it is, with the node that says so; or that it was asked for.</param>
public sealed record TrainedTensor(string Name, IReadOnlyList<long> Dims, TensorUse Use, bool IsDecayed, string Reason)
{
    public long Elements => Dims.Aggregate(1L, (product, dim) => product * dim);
}

/// <summary>How a tensor changes in training.</summary>
public enum TensorUse
{
    /// <summary>By its gradient.</summary>
    Learned,

    /// <summary>By what passes through its operator: running statistics.</summary>
    Updated,

    /// <summary>Not at all.</summary>
    Fixed,
}
