using Dovetail.Core.Workloads;
using Dovetail.Kernels.Decode;

namespace Dovetail.Kernels.Reference;

/// <summary><see cref="QuantizedReference"/> as a kernel: any pattern, on any machine.</summary>
internal sealed unsafe class QuantizedReferenceLayer(string name, QuantizedSpecification layer)
    : PreparedLayer<byte>(name, layer.Weights.Layout)
{
    private readonly TermList<sbyte> _terms = new(layer.Weights);

    internal override int TaskCount(in LayerCall call) => call.Pixels;

    internal override void RunTask(in LayerCall call, int task)
    {
        int outputs = Shape.Outputs;
        ConvolutionGeometry geometry = call.Geometry;
        var input = new ReadOnlySpan<byte>(call.Input, call.Batch * geometry.InputHeight * geometry.InputWidth * Shape.Channels * Shape.Groups);
        var accumulators = new int[outputs];
        AccumulatePixel(input, geometry, task, accumulators);
        for (int m = 0; m < outputs; m++)
            call.Output[(long)task * outputs + m] =
                QuantizedReference.Requantize(accumulators[m], layer.Factors[m], layer.OutputZeroPoint, layer.Lowest, layer.Highest);
    }

    /// <summary>The accumulators of one output pixel, [outputs]. Sums wrap around as int32 does.</summary>
    internal void AccumulatePixel(ReadOnlySpan<byte> input, ConvolutionGeometry geometry, int pixel, Span<int> accumulators)
    {
        int channels = Shape.Channels, inputChannels = channels * Shape.Groups;
        Span<int> taps = new int[Shape.Taps];
        PixelTaps.Fill(geometry, pixel, taps);
        for (int m = 0; m < accumulators.Length; m++)
        {
            int firstChannel = m / Shape.OutputsPerGroup * channels;
            int sum = layer.Bias is null ? 0 : layer.Bias[m];
            for (int t = _terms.RowStart[m]; t < _terms.RowStart[m + 1]; t++)
            {
                int inputPixel = taps[_terms.Taps[t]];
                if (inputPixel >= 0)
                    sum += (input[inputPixel * inputChannels + firstChannel + _terms.Channels[t]] - layer.InputZeroPoint) * _terms.Values[t];
            }

            accumulators[m] = sum;
        }
    }

    public override void Dispose() { }
}
