using System.Runtime.CompilerServices;

namespace Dovetail.Kernels.Selector;

/// <summary>y = clamp(sum + residual); sums start from the bias.</summary>
internal readonly unsafe struct Float32Store<TOps, TInput, TWeights, TOwners, TAcc> :
    ITileStore<TAcc>, IBoundStore<Float32Store<TOps, TInput, TWeights, TOwners, TAcc>>
    where TOps : struct, IFloat32LaneOperations<TInput, TWeights, TOwners, TAcc>
    where TAcc : unmanaged
{
    private readonly float* _bias;
    private readonly float* _residual;
    private readonly float* _output;
    private readonly nint _stride;
    private readonly int _outputs;
    private readonly float _lowest;
    private readonly float _highest;

    private Float32Store(LayerConstants constants, in LayerCall call, long pixel, int output, int outputs)
    {
        long first = pixel * constants.Outputs + output;
        _bias = (float*)constants.Starts + output;
        _residual = call.Residual == null ? null : (float*)call.Residual + first;
        _output = (float*)call.Output + first;
        (_stride, _outputs, _lowest, _highest) = (constants.Outputs, outputs, constants.Low, constants.High);
    }

    public static Float32Store<TOps, TInput, TWeights, TOwners, TAcc> Bind(
        LayerConstants constants, in LayerCall call, long pixel, int output, int outputs) => new(constants, call, pixel, output, outputs);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TAcc Start(int vector) => TOps.LoadSums(_bias + vector * TOps.Lanes);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool IsWhole(int vectors) => _outputs >= vectors * TOps.Lanes;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Finish(TAcc sums, int pixel, int vector)
    {
        nint at = pixel * _stride + vector * TOps.Lanes;
        if (_residual != null)
            sums = TOps.Add(sums, TOps.LoadSums(_residual + at));
        TOps.StoreSums(_output + at, TOps.Clamp(sums, _lowest, _highest));
    }

    public void FinishPart(TAcc* sums, int pixels, int vectors)
    {
        for (int pixel = 0; pixel < pixels; pixel++)
        {
            var values = (float*)(sums + pixel * vectors);
            nint at = pixel * _stride;
            for (int m = 0; m < _outputs; m++)
            {
                float y = values[m] + (_residual == null ? 0 : _residual[at + m]);
                _output[at + m] = y < _lowest ? _lowest : y > _highest ? _highest : y;
            }
        }
    }
}
