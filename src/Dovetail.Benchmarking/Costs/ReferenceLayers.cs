using Dovetail.Benchmarking.Layers;
using Dovetail.Core.Patterns;
using Dovetail.Core.Workloads;

namespace Dovetail.Benchmarking.Costs;

/// <summary>
/// The layers that a calibration measures: few, quick, and each with much of something else (nodes, products, weights, activations),
/// so that the constants can be told apart. None is a layer of bench/shapes, on which predictions are judged.
/// </summary>
internal static class ReferenceLayers
{
    // Input channels, outputs, pixels a side, kernel.
    private static readonly (int Channels, int Outputs, int Pixels, int Kernel)[] s_convolutions =
    [
        (16, 16, 8, 1), (32, 32, 10, 3), (48, 64, 40, 3), (112, 144, 16, 3), (48, 192, 48, 1),
        (192, 48, 48, 1), (224, 288, 12, 1), (320, 320, 8, 3), (768, 192, 14, 1), (640, 1024, 7, 1),
    ];

    // Outputs, rows, inputs.
    private static readonly (int Outputs, int Rows, int Inputs)[] s_products =
    [
        (64, 1, 64), (320, 1, 448), (1152, 1, 896), (1792, 1, 1280), (224, 12, 320), (352, 60, 288), (640, 100, 512), (288, 240, 800),
    ];

    /// <param name="op">"Conv" or "Gemm".</param>
    /// <param name="pattern">Must fit: channels or outputs below its group grow.</param>
    public static IReadOnlyList<LayerShape> For(string op, ComplementaryPattern pattern)
    {
        int least = pattern.Group * pattern.Share;
        return op == "Conv"
            ? [.. s_convolutions.Select(c => Convolution(Math.Max(c.Channels, least), Math.Max(c.Outputs, least), c.Pixels, c.Kernel))]
            : [.. s_products.Select(
                p => new LayerShape(
                    new LayerWorkload(
                        $"{p.Outputs}×{p.Rows}×{p.Inputs}", "Gemm", Math.Max(p.Outputs, least), p.Rows, Math.Max(p.Inputs, least))))];
    }

    private static LayerShape Convolution(int channels, int outputs, int pixels, int kernel)
    {
        int pad = kernel / 2;
        var geometry = new ConvolutionGeometry(pixels, pixels, kernel, kernel, 1, 1, pad, pad, pad, pad);
        return new LayerShape(
            new LayerWorkload(
                $"{channels}→{outputs} {pixels}² {kernel}×{kernel}", "Conv", outputs, pixels * pixels, channels * kernel * kernel,
                geometry));
    }
}
