using Dovetail.Core.Packing;
using Dovetail.Core.Workloads;

namespace Dovetail.Onnx.Tests.Passes.Quantize;

/// <summary>One int8 layer for batch 1, as docs/operators.md defines it, in plain loops.</summary>
internal static class ScalarLayer
{
    public static byte[] Run(PackedLayer layer, byte[] x)
    {
        LayerWorkload work = layer.Workload;
        LayerQuantization q = layer.Quantization!;
        sbyte[] weights = Packer.Unpack((PackedTensor<sbyte>)layer.Weights);
        var y = new byte[work.M * work.N];
        for (int n = 0; n < work.N; n++)
            for (int m = 0; m < work.M; m++)
            {
                int sum = q.Bias?[m] ?? 0;
                for (int k = 0; k < work.K; k++)
                    sum += (Input(layer, x, n, k) - q.InputZeroPoint) * weights[m * work.K + k];
                float factor = q.InputScale * layer.Weights.Scales![m] / q.OutputScale;
                float rounded = MathF.Round(sum * factor, MidpointRounding.ToEven) + q.OutputZeroPoint;
                int at = work.Convolution is null || layer.ChannelsLast ? n * work.M + m : m * work.N + n;
                y[at] = (byte)Math.Clamp(rounded, 0, 255);
            }

        return y;
    }

    // The k-th input of column n: k runs over taps, then channels. No convolution groups here.
    private static int Input(PackedLayer layer, byte[] x, int n, int k)
    {
        if (layer.Workload.Convolution is not { } g)
            return x[n * layer.Workload.K + k];
        int channels = layer.Weights.Shape.Channels, tap = k / channels, channel = k % channels;
        int row = n / g.OutputWidth * g.StrideHeight - g.PadTop + tap / g.KernelWidth * g.DilationHeight;
        int column = n % g.OutputWidth * g.StrideWidth - g.PadLeft + tap % g.KernelWidth * g.DilationWidth;
        if (row < 0 || row >= g.InputHeight || column < 0 || column >= g.InputWidth)
            return layer.Quantization!.InputZeroPoint;
        return layer.ChannelsLast
            ? x[(row * g.InputWidth + column) * channels + channel]
            : x[(channel * g.InputHeight + row) * g.InputWidth + column];
    }
}
