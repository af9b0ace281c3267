using Dovetail.Core.Operators;
using Dovetail.Onnx.Model;

namespace Dovetail.Onnx.Operators;

/// <summary>Operators that slide a window over an image, or lay one over all of it.</summary>
internal static class WindowOperators
{
    public static IReadOnlyList<OnnxOperator> Rows { get; } =
    [
        new("AveragePool", 1, 7, 10, 11, 19, 22)
        {
            Shape = c => [WindowRules.Pool(c)],
            Layout = new LayoutFreedom { Twin = OperatorSet.AveragePool },
            Channels = ChannelTie.Image,
        },
        new("Conv", 1, 11, 22)
        {
            RequiredInputs = 2,
            Shape = c => [WindowRules.Conv(c)],
            Layout = new LayoutFreedom { Twin = OperatorSet.DepthwiseConv },
            Channels = ChannelTie.Convolution,
        },
        new("ConvTranspose", 1, 11, 22) { RequiredInputs = 2, Shape = WindowRules.ConvTranspose },
        new("GlobalAveragePool", 1, 22)
        {
            Shape = WindowRules.GlobalPool,
            Layout = new LayoutFreedom { Twin = OperatorSet.GlobalAveragePool, EndsLayout = true },
            Channels = ChannelTie.Image,
        },
        new("GlobalLpPool", 1, 2, 22) { Shape = WindowRules.GlobalPool, Channels = ChannelTie.Image },
        new("GlobalMaxPool", 1, 22) { Shape = WindowRules.GlobalPool, Channels = ChannelTie.Image },
        new("LpPool", 1, 2, 11, 18, 22) { Shape = c => [WindowRules.Pool(c)], Channels = ChannelTie.Image },
        new("MaxPool", 1, 8, 10, 11, 12, 22)
        {
            Shape = WindowRules.MaxPool,
            Layout = new LayoutFreedom { Twin = OperatorSet.MaxPool, Only = op => op.Node.GetInt("storage_order", 0) == 0 },
            Channels = ChannelTie.Image,
        },
    ];
}
