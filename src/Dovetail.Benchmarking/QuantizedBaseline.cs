using Dovetail.Core;
using Dovetail.Onnx.Layers;
using Dovetail.Onnx.Model;
using Dovetail.Onnx.Passes.Normalize;
using Dovetail.Onnx.Passes.Quantize;
using Dovetail.Runtime;

namespace Dovetail.Benchmarking;

/// <summary>
/// A dense fp32 network quantized to ONNX's QDQ form, for its speed: ranges come from random inputs, since speed does
/// not depend on them.
/// </summary>
internal static class QuantizedBaseline
{
    private const int Runs = 2;

    /// <summary>The int8 network, or why there is none.</summary>
    public static (OnnxModel? Model, string? Reason) Create(OnnxModel dense, BenchmarkOptions options)
    {
        try
        {
            OnnxModel model = OperatorSetUpgrade.Apply(dense);
            IReadOnlyList<string> tensors = QuantizationPass.TensorsToCalibrate(model);
            if (tensors.Count == 0)
                return (null, "none of its layers has an int8 form");
            var random = new Random(options.Seed);
            IReadOnlyList<InputTensor>[] runs = [.. Enumerable.Range(0, Runs).Select(_ => Inputs(model, options, random))];
            var ranges = Calibration.Ranges(
                GraphSlicer.WithOutputs(model, tensors).ToBytes(), [.. tensors], runs, CalibrationMethod.MinMax);
            return (QuantizationPass.Quantize(model, ranges), null);
        }
        catch (DovetailException error)
        {
            return (null, error.Message.TrimEnd('.'));
        }
    }

    private static IReadOnlyList<InputTensor> Inputs(OnnxModel model, BenchmarkOptions options, Random random)
    {
        using DovetailSession session = BoundModel.Open(model.ToBytes(), options, optimizeGraph: false);
        return [.. session.Inner.InputMetadata.Select(input =>
        {
            Type type = TensorValues.FindType(input.Value.ElementDataType)
                ?? throw new DovetailException($"its input '{input.Key}' is {input.Value.ElementDataType}");
            return RandomValues.ForInput(input.Key, type, input.Value, options, random);
        })];
    }
}
