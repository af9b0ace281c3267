namespace Dovetail.Onnx.Operators;

/// <summary>Normalizations by statistics of the input or of training.</summary>
internal static class NormalizationOperators
{
    public static IReadOnlyList<OnnxOperator> Rows { get; } =
    [
        new("BatchNormalization", 1, 6, 7, 9, 14, 15)
        {
            From = 7, // is_test said before whether the statistics are the batch's
            RequiredInputs = 5,
            Shape = ElementwiseRules.Same,
            Channels = ChannelTie.ChannelParameters,
        },
        new("GroupNormalization", 18, 21) { RequiredInputs = 3, Shape = ElementwiseRules.Same },
        new("InstanceNormalization", 1, 6, 22)
        {
            RequiredInputs = 3,
            Shape = ElementwiseRules.Same,
            Channels = ChannelTie.ChannelParameters,
        },
        new("LRN", 1, 13) { Shape = ElementwiseRules.Same },
        new("LayerNormalization", 17) { Shape = ElementwiseRules.Same, Channels = ChannelTie.LastAxisParameters },
        new("LpNormalization", 1, 22) { Shape = ElementwiseRules.Same },
        new("MeanVarianceNormalization", 9, 13) { Shape = ElementwiseRules.Same },
        new("RMSNormalization", 23) { RequiredInputs = 2, Shape = ElementwiseRules.Same, Channels = ChannelTie.LastAxisParameters },
    ];
}
