using Dovetail.Core.Packing;

namespace Dovetail.Kernels.Selector;

/// <summary>A layer over bfloat16 operands on a CPU that does not multiply them: operands are rounded, products are fp32.</summary>
internal sealed unsafe class RoundedLayer(string name, PreparedLayer<float> inner) : PreparedLayer<float>(name, inner.Layout)
{
    /// <summary>The same layer with its weights rounded and its operands taken as they are.</summary>
    public static Float32Specification RoundWeights(Float32Specification layer)
    {
        float[] values = Array.ConvertAll(layer.Weights.Values, value => BFloat16.FromSingle(value).ToSingle());
        return layer with
        {
            Weights = new PackedTensor<float>(layer.Weights.Layout, values, layer.Weights.Owners),
            Operands = FloatOperands.Float32
        };
    }

    internal override int TaskCount(in LayerCall call) => inner.TaskCount(call);

    internal override void RunTask(in LayerCall call, int task) => inner.RunTask(call, task);

    internal override long StagedBytes(in LayerCall call) => call.InputPixels * InputChannels * sizeof(float);

    internal override void Stage(in LayerCall call, byte* staged) =>
        BFloat16Rounding.ToSingle((float*)call.Input, (float*)staged, call.InputPixels * InputChannels);

    public override void Dispose() => inner.Dispose();
}
