using System.Runtime.CompilerServices;

namespace Dovetail.Kernels.Selector;

/// <summary>
/// y = round_half_to_even(clamp(sum · factor)) + zeroPoint; sums start from bias and zero-point correction. The bounds
/// of the clamp are integers, so clamping first equals saturating last.
/// </summary>
internal readonly unsafe struct QuantizedStore<TOps, TInput, TWeights, TOwners, TAcc> :
    ITileStore<TAcc>, IBoundStore<QuantizedStore<TOps, TInput, TWeights, TOwners, TAcc>>
    where TOps : struct, IQuantizedLaneOperations<TInput, TWeights, TOwners, TAcc>
    where TAcc : unmanaged
{
    private const int MaxLanes = 16, MaxVectors = 2;

    private readonly int* _starts;
    private readonly float* _factors;
    private readonly byte* _output;
    private readonly nint _stride;
    private readonly int _outputs;
    private readonly float _lowest;
    private readonly float _highest;
    private readonly byte _zeroPoint;

    private QuantizedStore(LayerConstants constants, in LayerCall call, long pixel, int output, int outputs)
    {
        _starts = (int*)constants.Starts + output;
        _factors = constants.Factors + output;
        _output = call.Output + pixel * constants.Outputs + output;
        (_stride, _outputs, _zeroPoint) = (constants.Outputs, outputs, constants.OutputZeroPoint);
        (_lowest, _highest) = (constants.Low, constants.High);
    }

    public static QuantizedStore<TOps, TInput, TWeights, TOwners, TAcc> Bind(
        LayerConstants constants, in LayerCall call, long pixel, int output, int outputs) => new(constants, call, pixel, output, outputs);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TAcc Start(int vector) => TOps.LoadSums(_starts + vector * TOps.Lanes);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool IsWhole(int vectors) => _outputs >= vectors * TOps.Lanes;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Finish(TAcc sums, int pixel, int vector) =>
        TOps.Requantize(
            sums, _factors + vector * TOps.Lanes, _lowest, _highest, _zeroPoint, _output + pixel * _stride + vector * TOps.Lanes);

    public void FinishPart(TAcc* sums, int pixels, int vectors)
    {
        byte* all = stackalloc byte[MaxLanes * MaxVectors];
        for (int pixel = 0; pixel < pixels; pixel++)
        {
            for (int vector = 0; vector < vectors; vector++)
                TOps.Requantize(
                    sums[pixel * vectors + vector], _factors + vector * TOps.Lanes, _lowest, _highest, _zeroPoint,
                    all + vector * TOps.Lanes);
            new ReadOnlySpan<byte>(all, _outputs).CopyTo(new Span<byte>(_output + pixel * _stride, _outputs));
        }
    }
}
