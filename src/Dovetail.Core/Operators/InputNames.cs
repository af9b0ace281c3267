namespace Dovetail.Core.Operators;

/// <summary>The names by which inputs of the operators are asked for.</summary>
public static class InputNames
{
    /// <summary>The activations.</summary>
    public const string X = "X";

    /// <summary>Packed weights: the values (docs/format.md).</summary>
    public const string Values = "values";

    /// <summary>Packed weights: the owners (docs/format.md).</summary>
    public const string Owners = "owners";

    /// <summary>A number an output, added to the sums.</summary>
    public const string Bias = "B";

    /// <summary>A tensor of the output's shape, added before the activation.</summary>
    public const string Residual = "R";

    /// <summary>The dense weights of a depthwise convolution.</summary>
    public const string Filter = "W";

    public const string InputScale = "x_scale";

    public const string InputZeroPoint = "x_zero_point";

    /// <summary>One an output.</summary>
    public const string WeightScales = "w_scale";

    public const string OutputScale = "y_scale";

    public const string OutputZeroPoint = "y_zero_point";
}
