using Dovetail.Core;
using Dovetail.Onnx.Layers;
using Dovetail.Onnx.Model;
using Dovetail.Onnx.Passes.Quantize;
using Dovetail.Onnx.Shapes;
using Dovetail.Runtime;

namespace Dovetail.Benchmarking;

/// <summary>
/// A dense fp32 network quantized to ONNX's QDQ form, for its speed: ranges come from random inputs, since speed does
/// not depend on them.
/// </summary>
internal static class QuantizedBaseline
{
    private const int Images = 2;

    /// <summary>The int8 network, or why there is none.</summary>
    public static (OnnxModel? Model, string? Reason) Create(OnnxModel dense, int seed)
    {
        try
        {
            if (dense.Inputs is not [var input])
                return (null, $"the network has {dense.Inputs.Count} inputs, expected one");
            TensorInfo info = ShapeInference.Infer(dense, batch: 1)[input.Name];
            if (info.Type != OnnxType.Float)
                return (null, $"its input is {info.Type}, expected float");
            long[] shape = [
                .. info.Shape.Skip(1)
                .Select(dim => dim.Value ?? throw new DovetailException($"the input '{input.Name}' has unknown dimensions"))];
            var random = new Random(seed);
            var images = new float[Images * shape.Aggregate(1L, (a, b) => a * b)];
            foreach (ref float element in images.AsSpan())
                element = (float)(random.NextDouble() * 2 - 1);
            IReadOnlyList<string> tensors = QuantizationPass.TensorsToCalibrate(dense);
            var ranges = Calibration.Ranges(GraphSlicer.WithOutputs(dense, tensors).ToBytes(), [.. tensors], images, shape, 1);
            return (QuantizationPass.Quantize(dense, ranges), null);
        }
        catch (DovetailException error)
        {
            return (null, error.Message.TrimEnd('.'));
        }
    }
}
