using Dovetail.Core.Operators;
using Dovetail.Core.Patterns;
using Dovetail.Onnx.Model;

namespace Dovetail.Onnx.Layers;

/// <summary>The weights of a depthwise convolution in NHWC, which packing makes of a Conv between packed ones.</summary>
internal static class DepthwiseWeights
{
    /// <returns>[C, 1, kh, kw] in C groups, and the weights in matrix order.</returns>
    /// <exception cref="OnnxException">The filter is no constant [kh, kw, C] of floats.</exception>
    public static (WeightShape Shape, float[] Weights) Read(OnnxModel model, NodeProto node)
    {
        TensorProto filter = model.Constant(node.Input(InputNames.Filter), node);
        if (filter.Shape() is not [var height, var width, var channels] || filter.ElementCount() == 0)
            throw new OnnxException($"{node}: filter {filter} does not fit, expected [kh, kw, C].");
        float[] stored = filter.ToFloats(), weights = new float[stored.Length];
        int taps = height * width;
        for (int tap = 0; tap < taps; tap++)
            for (int c = 0; c < channels; c++)
                weights[c * taps + tap] = stored[tap * channels + c];
        return (new WeightShape([channels, 1, height, width], channels), weights);
    }
}
