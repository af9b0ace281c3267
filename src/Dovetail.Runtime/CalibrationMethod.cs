namespace Dovetail.Runtime;

/// <summary>How the range of a tensor follows from its values.</summary>
public enum CalibrationMethod
{
    /// <summary>From the least to the greatest.</summary>
    MinMax,

    /// <summary>All but a share at both ends.</summary>
    Percentile,

    /// <summary>Cut where 128 levels say most of the values: least Kullback-Leibler divergence.</summary>
    Entropy,
}
