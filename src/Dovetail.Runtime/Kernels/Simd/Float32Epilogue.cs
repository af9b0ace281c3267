using System.Runtime.Intrinsics;

namespace Dovetail.Runtime.Kernels.Simd;

/// <summary>y = activation(sum + bias + residual).</summary>
internal sealed unsafe class Float32Epilogue : TileEpilogue
{
    private readonly int _outputs;
    private readonly AlignedBuffer _bias;
    private readonly bool _relu;

    public Float32Epilogue(Float32Specification layer)
    {
        _outputs = layer.Weights.Shape.Outputs;
        _relu = layer.Activation == Activation.Relu;
        _bias = new AlignedBuffer((nuint)_outputs * sizeof(float));
        layer.Bias?.CopyTo(new Span<float>(_bias.Pointer, _outputs));
    }

    public override void Store(void* sums, int sumStride, in LayerCall call, long pixel, int pixels, int output, int outputs)
    {
        float* bias = (float*)_bias.Pointer + output;
        long first = pixel * _outputs + output;
        for (int p = 0; p < pixels; p++)
        {
            float* sum = (float*)sums + p * sumStride;
            float* target = (float*)call.Output + first + (long)p * _outputs;
            float* residual = call.Residual == null ? null : (float*)call.Residual + first + (long)p * _outputs;
            int m = 0;
            for (; m <= outputs - Vector512<float>.Count; m += Vector512<float>.Count)
            {
                Vector512<float> y = Vector512.Load(sum + m) + Vector512.Load(bias + m);
                if (residual != null)
                    y += Vector512.Load(residual + m);
                if (_relu)
                    y = Vector512.ConditionalSelect(Vector512.LessThan(y, Vector512<float>.Zero), Vector512<float>.Zero, y);
                y.Store(target + m);
            }

            for (; m < outputs; m++)
            {
                float y = sum[m] + bias[m];
                if (residual != null)
                    y += residual[m];
                target[m] = _relu && y < 0 ? 0 : y;
            }
        }
    }

    public override void Dispose() => _bias.Dispose();
}
