using Dovetail.Onnx.Layers;
using Dovetail.Onnx.Model;
using Dovetail.Onnx.Passes.Normalize;

namespace Dovetail.Onnx.Passes.Quantize;

/// <summary>
/// Post-training quantization to ONNX's QDQ form, which any runtime reads.
/// 1. Batch norms are folded and fully connected layers brought to one form.
/// 2. Weights become int8, symmetric, one scale an output (or one a layer): max|w| / 127 (63 in 7 bits). A scale is raised where the bias
///    would leave int32 otherwise; a row of zeros takes one that keeps its bias exact, or 1.
/// 3. Activations become uint8 with one scale and zero point from calibrated ranges that include zero.
/// 4. Biases become int32 with the scale input·weight.
/// 5. A Relu (or Clip from 0) behind a layer goes away: its result's range starts at 0, so the
///    zero point is 0 and saturation does the same.
/// </summary>
public static class QuantizationPass
{
    private const long ScalesPerOutput = 13, ScalesPerTensor = 10;

    /// <summary>The tensors of the model whose ranges <see cref="Quantize"/> needs; all are tensors of the given model.</summary>
    public static IReadOnlyList<string> TensorsToCalibrate(OnnxModel model)
    {
        var plan = new QuantizationPlan(Prepare(model));
        return [.. plan.Tensors.Select(plan.Root).Distinct()];
    }

    /// <summary>Quantizes a copy of the model.</summary>
    /// <param name="ranges">Least and greatest value of each tensor of <see cref="TensorsToCalibrate"/>.</param>
    /// <exception cref="OnnxException">A range is missing or no range, or the model's operator set is too old.</exception>
    public static OnnxModel Quantize(
        OnnxModel model, IReadOnlyDictionary<string, (float Min, float Max)> ranges, QuantizationOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(ranges);
        options ??= new QuantizationOptions();
        OnnxModel result = Prepare(model);
        long opset = options.PerChannel ? ScalesPerOutput : ScalesPerTensor;
        if (result.OpsetVersion() < opset)
            throw new OnnxException(
                $"The model uses operator set {result.OpsetVersion()}, and scales per {(options.PerChannel ? "output" : "tensor")} need "
                + $"{opset} or newer. Bring it there first (OperatorSetUpgrade)"
                + (result.OpsetVersion() >= ScalesPerTensor ? ", or take one scale a layer." : "."));
        var plan = new QuantizationPlan(result);
        var affine = plan.Tensors.ToDictionary(t => t, t => Range(ranges, plan.Root(t)));
        foreach ((_, NodeProto activation) in plan.Activations)
            affine[activation.Outputs[0]] = AffineRange.Of(0, ranges[activation.Outputs[0]].Max);
        string[] tensors = [.. plan.Tensors];
        foreach (WeightLayer layer in plan.Layers)
            QuantizeParameters(result, layer, affine[plan.Root(layer.Node.Inputs[0])], options);
        foreach ((NodeProto node, NodeProto activation) in plan.Activations)
        {
            node.Outputs[0] = activation.Outputs[0];
            result.Nodes.Remove(activation);
        }

        var parameters = new Dictionary<string, (string Scale, string Zero)>();
        foreach (string tensor in tensors)
        {
            string root = plan.Root(tensor);
            if (!parameters.TryGetValue(root, out (string Scale, string Zero) names))
            {
                names = (result.UniqueName($"{root}.scale"), result.UniqueName($"{root}.zero_point"));
                parameters[root] = names;
                result.AddInitializer(TensorData.Scalar(names.Scale, affine[root].Scale));
                result.AddInitializer(TensorData.Scalar(names.Zero, affine[root].ZeroPoint));
            }

            QuantizeActivation(result, tensor, names.Scale, names.Zero);
        }

        result.Graph.ValueInfos.Clear();
        result.RemoveDeadNodes();
        result.CheckGraph();
        return result;
    }

    /// <summary>Why a layer stays in floating point, as the end of a sentence; null where it becomes int8.</summary>
    public static string? ReasonAgainst(WeightLayer layer)
    {
        ArgumentNullException.ThrowIfNull(layer);
        return layer.Graph.Outer is not null ? "it stands in a graph inside a node, whose tensors no calibration sees"
            : layer.Op is "LSTM" or "GRU" or "RNN" or "ConvTranspose" ? $"{layer.Op} has no int8 form here"
            : !layer.IsStandard ? layer.IsLeft ? "its weights stand on the left" : "its input is transposed"
            : !layer.IsQuantized && layer.WeightType != OnnxType.Float
                ? $"its weights are {layer.WeightType.ToString().ToLowerInvariant()}, expected float"
            : null;
    }

    private static OnnxModel Prepare(OnnxModel model)
    {
        ArgumentNullException.ThrowIfNull(model);
        OnnxModel copy = model.Clone();
        BatchNormFolding.Fold(copy);
        GemmNormalization.Apply(copy);
        return copy;
    }

    private static AffineRange Range(IReadOnlyDictionary<string, (float Min, float Max)> ranges, string tensor)
    {
        if (!ranges.TryGetValue(tensor, out (float Min, float Max) range))
            throw new OnnxException($"There is no range for tensor '{tensor}'; calibrate every tensor that TensorsToCalibrate lists.");
        if (!float.IsFinite(range.Min) || !float.IsFinite(range.Max) || range.Min > range.Max)
            throw new OnnxException($"The range of tensor '{tensor}' is {range.Min} to {range.Max}, expected finite numbers in order. A "
                + "training that diverged gives such ranges.");
        return AffineRange.Of(range.Min, range.Max);
    }

    private static void QuantizeParameters(OnnxModel model, WeightLayer layer, AffineRange input, QuantizationOptions options)
    {
        NodeProto node = layer.Node;
        float[]? bias = node.HasInput(2) ? BiasRow.Find(model, layer) : null;
        float[] weights = layer.GetWeights();
        int outputs = layer.Shape.Outputs, inputs = layer.Shape.Inputs;
        var scales = new float[outputs];
        for (int m = 0; m < outputs; m++)
            scales[m] = WeightScale(weights.AsSpan(m * inputs, inputs), bias?[m] ?? 0, input.Scale, options.LargestWeight);
        if (!options.PerChannel)
            Array.Fill(scales, scales.Max());
        TensorProto tensor = model.Constant(node.Inputs[1], node);
        bool outputsLast = node.Is("MatMul") || (node.Is("Gemm") && node.GetInt("transB", 0) == 0);
        var quantized = new sbyte[weights.Length];
        float[] original = tensor.ToFloats();
        for (int i = 0; i < original.Length; i++)
            quantized[i] = (sbyte)Math.Clamp(
                MathF.Round(original[i] / scales[outputsLast ? i % outputs : i / inputs]), -options.LargestWeight,
                options.LargestWeight);
        node.Inputs[1] = Dequantize(
            model, node, tensor.Name, TensorData.Create<sbyte>("", [.. tensor.Dims], quantized), scales, new sbyte[outputs],
            options.PerChannel ? outputsLast ? 1 : 0 : null);
        if (bias is null)
            return;
        var biasScales = new float[outputs];
        var biasValues = new int[outputs];
        for (int m = 0; m < outputs; m++)
        {
            biasScales[m] = input.Scale * scales[m];
            biasValues[m] = (int)Math.Round((double)bias[m] / biasScales[m]);
        }

        node.Inputs[2] = Dequantize(
            model, node, node.Inputs[2], TensorData.Create<int>("", [outputs], biasValues), biasScales, new int[outputs],
            options.PerChannel ? 0 : null);
    }

    private static float WeightScale(ReadOnlySpan<float> row, float bias, float inputScale, int largestWeight)
    {
        float largest = 0;
        foreach (float w in row)
            largest = Math.Max(largest, Math.Abs(w));
        float forBias = Math.Abs(bias) / inputScale;
        if (largest == 0)
            return float.IsNormal(forBias / (1 << 20)) ? forBias / (1 << 20) : 1;
        float scale = Math.Max(largest / largestWeight, forBias / (1 << 30));
        return float.IsNormal(scale) ? scale : 1;
    }

    private static string Dequantize<T>(
        OnnxModel model, NodeProto reader, string name, TensorProto values, float[] scales, T[] zeroPoints, int? axis)
        where T : unmanaged
    {
        values.Name = model.UniqueName($"{name}.quantized");
        model.AddInitializer(values);
        string scale = model.UniqueName($"{name}.scale"), zero = model.UniqueName($"{name}.zero_point"),
            output = model.UniqueName($"{name}.dequantized");
        if (axis is null)
        {
            model.AddInitializer(TensorData.Scalar(scale, scales[0]));
            model.AddInitializer(TensorData.Scalar(zero, zeroPoints[0]));
        }
        else
        {
            model.AddInitializer(TensorData.Create<float>(scale, [scales.Length], scales));
            model.AddInitializer(TensorData.Create<T>(zero, [zeroPoints.Length], zeroPoints));
        }

        var node = new NodeProto("DequantizeLinear", model.UniqueName($"{name}.dequantize"), [values.Name, scale, zero], [output]);
        if (axis is { } along)
            node.With("axis", along);
        model.Nodes.Insert(model.Nodes.IndexOf(reader), node);
        return output;
    }

    private static void QuantizeActivation(OnnxModel model, string tensor, string scale, string zero)
    {
        string source = tensor, bytes = model.UniqueName($"{tensor}.quantized"), result;
        NodeProto? producer = model.FindProducer(tensor);
        int at = producer is null ? 0 : model.Nodes.IndexOf(producer) + 1;
        if (model.IsOutput(tensor))
        {
            // The graph's output keeps its name, behind the DequantizeLinear.
            result = tensor;
            source = model.UniqueName($"{tensor}_float");
            producer!.Outputs[0] = source;
        }
        else
        {
            result = model.UniqueName($"{tensor}.dequantized");
            model.ReplaceUses(tensor, result);
        }

        model.Nodes.InsertRange(at,
        [
            new NodeProto("QuantizeLinear", model.UniqueName($"{tensor}.quantize"), [source, scale, zero], [bytes]),
            new NodeProto("DequantizeLinear", model.UniqueName($"{tensor}.dequantize"), [bytes, scale, zero], [result]),
        ]);
    }
}
