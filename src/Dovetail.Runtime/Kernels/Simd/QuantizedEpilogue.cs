using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Dovetail.Runtime.Kernels.Reference;

namespace Dovetail.Runtime.Kernels.Simd;

/// <summary>
/// Requantization of exact sums.
/// 1. Kernels sum x·w, so acc = sum + correction[m] with correction = bias − inputZeroPoint·Σw; padding pixels were
///    read as the zero point. All of it modulo 2³².
/// 2. acc · factor in fp32, clamped to [−zeroPoint, 255 − zeroPoint] (from 0 with ReLU), rounded half to even,
///    plus the zero point. The bounds are integers, so clamping first equals saturating last.
/// </summary>
internal sealed unsafe class QuantizedEpilogue : TileEpilogue
{
    private readonly int _outputs;
    private readonly AlignedBuffer _corrections;
    private readonly AlignedBuffer _factors;
    private readonly byte _zeroPoint;
    private readonly Activation _activation;

    public QuantizedEpilogue(QuantizedSpecification layer)
    {
        _outputs = layer.Weights.Shape.Outputs;
        (_zeroPoint, _activation) = (layer.OutputZeroPoint, layer.Activation);
        _corrections = new AlignedBuffer((nuint)_outputs * sizeof(int));
        _factors = new AlignedBuffer((nuint)_outputs * sizeof(float));
        int[] rowSums = SelectorStreams.RowSums(layer.Weights);
        for (int m = 0; m < _outputs; m++)
            ((int*)_corrections.Pointer)[m] = (layer.Bias is null ? 0 : layer.Bias[m]) - layer.InputZeroPoint * rowSums[m];
        layer.Factors.CopyTo(new Span<float>(_factors.Pointer, _outputs));
    }

    public override void Store(void* sums, int sumStride, in LayerCall call, long pixel, int pixels, int output, int outputs)
    {
        int* correction = (int*)_corrections.Pointer + output;
        float* factor = (float*)_factors.Pointer + output;
        Vector512<float> lowest = Vector512.Create(_activation == Activation.Relu ? 0 : -(float)_zeroPoint);
        Vector512<float> highest = Vector512.Create(255f - _zeroPoint);
        Vector512<int> zeroPoint = Vector512.Create((int)_zeroPoint);
        for (int p = 0; p < pixels; p++)
        {
            int* sum = (int*)sums + p * sumStride;
            byte* target = call.Output + (pixel + p) * _outputs + output;
            int m = 0;
            if (Avx512F.IsSupported)
                for (; m <= outputs - Vector512<int>.Count; m += Vector512<int>.Count)
                {
                    Vector512<float> scaled = Vector512.ConvertToSingle(Vector512.Load(sum + m) + Vector512.Load(correction + m)) * Vector512.Load(factor + m);
                    scaled = Avx512F.Min(Avx512F.Max(scaled, lowest), highest);
                    Avx512F.ConvertToVector128Byte(Avx512F.ConvertToVector512Int32(scaled) + zeroPoint).Store(target + m);
                }

            for (; m < outputs; m++)
                target[m] = QuantizedReference.Requantize(sum[m] + correction[m], factor[m], _zeroPoint, _activation);
        }
    }

    public override void Dispose()
    {
        _corrections.Dispose();
        _factors.Dispose();
    }
}
