using Dovetail.Core.Workloads;

namespace Dovetail.Kernels.Reference;

/// <summary>
/// The floating-point oracle: any pattern, obvious loops over the kept weights, sums in double.
/// y[pixel, m] = activation(Σ w·x + bias[m] + residual[pixel, m]), rounded once at the end. It shares no code with the kernels that it
/// judges: weights come from <see cref="NaiveTerms"/>, pixels from <see cref="NaiveInput"/>.
/// </summary>
internal sealed unsafe class Float32Reference(string name, Float32Specification layer)
    : PreparedLayer<float>(name, layer.Weights.Layout)
{
    private readonly NaiveTerm<float>[][] _terms = NaiveTerms.Read(layer.Weights);

    internal override int TaskCount(in LayerCall call) => call.Pixels;

    internal override void RunTask(in LayerCall call, int task)
    {
        var reader = new NaiveInput(call.Geometry, Shape.Channels, _terms.Length, task);
        for (int m = 0; m < _terms.Length; m++)
        {
            double sum = layer.Bias is null ? 0 : layer.Bias[m];
            foreach (NaiveTerm<float> term in _terms[m])
                if (reader.IndexOf(m, term.Tap, term.Channel) is { } index)
                    sum += (double)term.Value * ((float*)call.Input)[index];
            long at = (long)task * _terms.Length + m;
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
