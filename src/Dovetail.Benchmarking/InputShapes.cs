using Dovetail.Kernels;
using Microsoft.ML.OnnxRuntime;

namespace Dovetail.Benchmarking;

/// <summary>Numbers for the dimensions that a model's inputs leave open.</summary>
public static class InputShapes
{
    /// <summary>By name from <see cref="BenchmarkOptions.Sizes"/>; a first dimension without a size there is the batch.</summary>
    /// <exception cref="OperatorException">Another dimension is open and has no size.</exception>
    public static long[] Of(string name, NodeMetadata input, BenchmarkOptions options)
    {
        ArgumentNullException.ThrowIfNull(input);
        ArgumentNullException.ThrowIfNull(options);
        return [.. input.Dimensions.Select((dimension, axis) => dimension >= 0 ? dimension
            : options.Sizes.TryGetValue(input.SymbolicDimensions[axis], out long size) ? size
            : axis == 0 ? options.Batch
            : throw new OperatorException($"The input '{name}' has the shape [{string.Join(", ", input.Dimensions)}], expected numbers "
                + "behind the first dimension. State the input's dimensions."))];
    }
}
