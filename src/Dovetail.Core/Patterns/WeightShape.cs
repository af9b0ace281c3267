using System.Collections.Immutable;

namespace Dovetail.Core.Patterns;

/// <summary>
/// The shape of a layer's weights as the tensor [outputs, channels, spatial…] (ONNX's OIHW for a
/// convolution, [outputs, inputs] for a matrix) and as the matrix that patterns cut into cells:
/// M = <see cref="Outputs"/> rows × K = <see cref="Taps"/>·<see cref="Channels"/> columns, taps first,
/// channels innermost ("matrix order").
/// </summary>
public sealed record WeightShape
{
    /// <param name="dimensions">[outputs, channels per convolution group, spatial…], each ≥ 1.</param>
    /// <param name="groups">Convolution groups; outputs is a multiple of it.</param>
    public WeightShape(ReadOnlySpan<int> dimensions, int groups = 1)
    {
        if (dimensions.Length < 2)
            throw new PatternException($"A weight has rank {dimensions.Length}, expected at least 2: [outputs, inputs, spatial…].");
        long count = 1;
        foreach (int dimension in dimensions)
            if (dimension < 1)
                throw new PatternException($"A weight has the dimensions [{Format(dimensions)}], expected each to be at least 1.");
        foreach (int dimension in dimensions)
        {
            count *= dimension;
            if (count > Array.MaxLength)
                throw new PatternException($"A weight of the dimensions [{Format(dimensions)}] has more elements than one tensor may hold "
                    + $"here, {Array.MaxLength}.");
        }

        if (groups < 1 || dimensions[0] % groups != 0)
            throw new PatternException($"A weight of {dimensions[0]} outputs does not divide into {groups} convolution groups.");
        Dimensions = [.. dimensions];
        Groups = groups;
        Taps = (int)(count / dimensions[0] / dimensions[1]);
    }

    /// <summary>A fully connected layer's weights.</summary>
    public static WeightShape Matrix(int outputs, int inputs) => new([outputs, inputs]);

    /// <summary>[outputs, channels per convolution group, spatial…].</summary>
    public ImmutableArray<int> Dimensions { get; }

    /// <summary>Convolution groups; 1 for a matrix.</summary>
    public int Groups { get; }

    /// <summary>M.</summary>
    public int Outputs => Dimensions[0];

    /// <summary>Input channels that one output sees.</summary>
    public int Channels => Dimensions[1];

    /// <summary>Positions of the filter; 1 for a matrix.</summary>
    public int Taps { get; }

    /// <summary>K = taps·channels.</summary>
    public int Inputs => Taps * Channels;

    /// <summary>M·K.</summary>
    public int Count => Outputs * Inputs;

    /// <summary>Outputs of one convolution group.</summary>
    public int OutputsPerGroup => Outputs / Groups;

    /// <summary>Reorders a tensor [outputs, channels, spatial…] into matrix order [outputs, taps, channels].</summary>
    public void ToMatrixOrder<T>(ReadOnlySpan<T> tensor, Span<T> matrix)
    {
        CheckLengths(tensor.Length, matrix.Length);
        int taps = Taps, channels = Channels;
        if (taps == 1 || channels == 1)
        {
            tensor.CopyTo(matrix);
            return;
        }

        for (int m = 0; m < Outputs; m++)
            for (int t = 0; t < taps; t++)
                for (int c = 0; c < channels; c++)
                    matrix[(m * taps + t) * channels + c] = tensor[(m * channels + c) * taps + t];
    }

    /// <summary>The inverse of <see cref="ToMatrixOrder"/>.</summary>
    public void ToTensorOrder<T>(ReadOnlySpan<T> matrix, Span<T> tensor)
    {
        CheckLengths(tensor.Length, matrix.Length);
        int taps = Taps, channels = Channels;
        if (taps == 1 || channels == 1)
        {
            matrix.CopyTo(tensor);
            return;
        }

        for (int m = 0; m < Outputs; m++)
            for (int c = 0; c < channels; c++)
                for (int t = 0; t < taps; t++)
                    tensor[(m * channels + c) * taps + t] = matrix[(m * taps + t) * channels + c];
    }

    public bool Equals(WeightShape? other) =>
        other is not null && Groups == other.Groups && Dimensions.AsSpan().SequenceEqual(other.Dimensions.AsSpan());

    public override int GetHashCode() => HashCode.Combine(Outputs, Channels, Taps, Groups, Dimensions.Length);

    /// <summary>"64×64×3×3" and, with convolution groups, "64×1×3×3 in 64 groups".</summary>
    public override string ToString() =>
        string.Join('×', Dimensions) + (Groups > 1 ? $" in {Groups} groups" : "");

    private static string Format(ReadOnlySpan<int> dimensions) =>
        string.Join(", ", dimensions[..Math.Min(dimensions.Length, 16)].ToArray()) + (dimensions.Length > 16 ? ", ..." : "");

    private void CheckLengths(int tensor, int matrix)
    {
        if (tensor != Count || matrix != Count)
            throw new PatternException($"Buffers of {tensor} and {matrix} elements do not hold weights of shape {this}, expected {Count}.");
    }
}
