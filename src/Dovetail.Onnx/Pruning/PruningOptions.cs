using Dovetail.Onnx.Passes.Permute;

namespace Dovetail.Onnx.Pruning;

/// <summary>How a model is pruned.</summary>
public sealed record PruningOptions
{
    /// <summary>What chooses and changes the weights of a layer.</summary>
    public IPruner Pruner { get; init; } = new MagnitudePruner();

    /// <summary>What layers read on calibration data, where the pruner asks for it.</summary>
    public ICalibrationInputs? Inputs { get; init; }

    /// <summary>Prune the fully connected layer at the end too. Where each layer's pattern is given by name, that says it.</summary>
    public bool Head { get; init; }

    /// <summary>
    /// Order the channels first, so that the patterns keep more; null: they stay as they are. The patterns, progress and token in
    /// it are replaced by the pruning's.
    /// </summary>
    public PermutationPassOptions? Permutation { get; init; }
}
