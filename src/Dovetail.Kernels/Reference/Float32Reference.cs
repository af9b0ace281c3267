using Dovetail.Core.Workloads;
using Dovetail.Kernels.Decode;

namespace Dovetail.Kernels.Reference;

/// <summary>
/// The floating-point oracle: any pattern, obvious loops over the packed slots, sums in double.
/// y[pixel, m] = activation(Σ w·x + bias[m] + residual[pixel, m]), rounded once at the end.
/// </summary>
internal sealed unsafe class Float32Reference(string name, Float32Specification layer)
    : PreparedLayer<float>(name, layer.Weights.Layout)
{
    private readonly TermList<float> _terms = new(layer.Weights);

    internal override int TaskCount(in LayerCall call) => call.Pixels;

    internal override void RunTask(in LayerCall call, int task)
    {
        ConvolutionGeometry geometry = call.Geometry;
        int channels = Shape.Channels, inputChannels = channels * Shape.Groups, outputs = Shape.Outputs;
        Span<int> taps = new int[Shape.Taps];
        PixelTaps.Fill(geometry, task, taps);
        var input = (float*)call.Input;
        for (int m = 0; m < outputs; m++)
        {
            int firstChannel = m / Shape.OutputsPerGroup * channels;
            double sum = layer.Bias is null ? 0 : layer.Bias[m];
            for (int t = _terms.RowStart[m]; t < _terms.RowStart[m + 1]; t++)
            {
                int pixel = taps[_terms.Taps[t]];
                if (pixel >= 0)
                    sum += (double)_terms.Values[t] * input[(long)pixel * inputChannels + firstChannel + _terms.Channels[t]];
            }

            long at = (long)task * outputs + m;
            if (call.Residual != null)
                sum += ((float*)call.Residual)[at];
            ((float*)call.Output)[at] = (float)Apply(layer.Activation, sum);
        }
    }

    public override void Dispose() { }

    private static double Apply(Activation activation, double x) => activation.Kind switch
    {
        ActivationKind.Silu => ScalarFunctions.Silu(x),
        ActivationKind.Gelu => ScalarFunctions.Gelu(x),
        ActivationKind.GeluTanh => ScalarFunctions.GeluTanh(x),
        _ => x < activation.Lowest ? activation.Lowest : x > activation.Highest ? activation.Highest : x,
    };
}
