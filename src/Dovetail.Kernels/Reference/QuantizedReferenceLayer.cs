using Dovetail.Core.Workloads;

namespace Dovetail.Kernels.Reference;

/// <summary><see cref="QuantizedReference"/> as a kernel: any pattern, on any machine.</summary>
internal sealed unsafe class QuantizedReferenceLayer(string name, QuantizedSpecification layer)
    : PreparedLayer<byte>(name, layer.Weights.Layout)
{
    private readonly NaiveTerm<sbyte>[][] _terms = NaiveTerms.Read(layer.Weights);

    internal override int TaskCount(in LayerCall call) => call.Pixels;

    internal override void RunTask(in LayerCall call, int task)
    {
        int outputs = _terms.Length;
        ConvolutionGeometry geometry = call.Geometry;
        var input = new ReadOnlySpan<byte>(
            call.Input, call.Batch * geometry.InputHeight * geometry.InputWidth * Shape.Channels * Shape.Groups);
        var accumulators = new int[outputs];
        AccumulatePixel(input, geometry, task, accumulators);
        for (int m = 0; m < outputs; m++)
            call.Output[(long)task * outputs + m] =
                QuantizedReference.Requantize(accumulators[m], layer.Factors[m], layer.OutputZeroPoint, layer.Lowest, layer.Highest);
    }

    /// <summary>The accumulators of one output pixel, [outputs]. Sums wrap around as int32 does.</summary>
    internal void AccumulatePixel(ReadOnlySpan<byte> input, ConvolutionGeometry geometry, int pixel, Span<int> accumulators)
    {
        var reader = new NaiveInput(geometry, Shape.Channels, _terms.Length, pixel);
        for (int m = 0; m < accumulators.Length; m++)
        {
            int sum = layer.Bias is null ? 0 : layer.Bias[m];
            foreach (NaiveTerm<sbyte> term in _terms[m])
                if (reader.IndexOf(m, term.Tap, term.Channel) is { } index)
                    sum += (input[(int)index] - layer.InputZeroPoint) * term.Value;
            accumulators[m] = sum;
        }
    }

    public override void Dispose() { }
}
