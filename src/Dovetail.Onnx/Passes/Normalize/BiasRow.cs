using Dovetail.Onnx.Layers;
using Dovetail.Onnx.Model;

namespace Dovetail.Onnx.Passes.Normalize;

/// <summary>A layer's bias as one number an output, whichever broadcastable shape it has in the file.</summary>
internal static class BiasRow
{
    /// <summary>[outputs], or null where the bias is computed at run time or is no row.</summary>
    public static float[]? Find(OnnxModel model, WeightLayer layer)
    {
        int outputs = layer.Shape.Outputs;
        if (model.FindConstant(layer.Node.Inputs[2]) is not { } tensor)
            return null;
        float[] values = tensor.ToFloats();
        if (values.Length == 1)
        {
            var row = new float[outputs];
            Array.Fill(row, values[0]);
            return row;
        }

        return values.Length == outputs && tensor.Dims[^1] == outputs ? values : null;
    }
}
