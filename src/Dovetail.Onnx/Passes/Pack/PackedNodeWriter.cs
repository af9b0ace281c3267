using Dovetail.Core.Operators;
using Dovetail.Core.Packing;
using Dovetail.Core.Patterns;
using Dovetail.Core.Workloads;
using Dovetail.Onnx.Layers;
using Dovetail.Onnx.Model;
using Dovetail.Onnx.Passes.Layout;
using Dovetail.Onnx.Passes.Normalize;

namespace Dovetail.Onnx.Passes.Pack;

/// <summary>Weights that are packed, by the graph that holds them dense.</summary>
internal sealed record WrittenWeights(
    GraphProto Home, string Weight, WeightForm Form, WeightShape Shape, ComplementaryPattern Pattern);

/// <summary>
/// Replaces one layer by its packed operator. A convolution gets a Transpose on either side;
/// <see cref="ChannelsLastRegions"/> moves and cancels them afterwards.
/// </summary>
/// <param name="model">A copy of the model that the layers were found in.</param>
/// <param name="written">What was written before, for layers that read the same weights, in other branches say.</param>
internal sealed class PackedNodeWriter(OnnxModel model, PackingOptions options, Dictionary<WrittenWeights, NodeProto> written)
{
    /// <param name="packed">As <see cref="LayerPacking"/> made it.</param>
    public void Write(WeightLayer layer, PackedTensor packed)
    {
        NodeProto node = model.FindNode(layer.Name)!;
        NodeProto result = DovetailNodes.New(
            OperatorSet.Packed(node.Is("Conv"), layer.IsQuantized), node.Name, [node.Inputs[layer.IsLeft ? 1 : 0]], []);
        if (layer.IsQuantized)
        {
            (QuantizedLayer? quantized, _) = QuantizedLayer.Read(model, layer);
            PackedWeights.Write(model, result, packed);
            WriteQuantized(node, result, quantized!);
            Put(layer, node, result, quantized!.QuantizeOutput.Outputs[0]);
            model.Nodes.Remove(quantized.QuantizeOutput);
            return;
        }

        string bias = node.HasInput(2) ? Bias(layer, node.Inputs[2]) : "";
        OnnxModel home = model; // where the dense weights stand, which several graphs may read
        while (home.Outer is not null && !home.Makes(layer.WeightName))
            home = home.Outer;
        var weights = new WrittenWeights(home.Graph, layer.WeightName, layer.Form, packed.Shape, packed.Pattern);
        if (written.TryGetValue(weights, out NodeProto? same))
            PackedWeights.Share(result, same, packed);
        else
            PackedWeights.Write(home, result, packed);
        written.TryAdd(weights, result);
        if (options.BFloat16Operands)
            result.With(OperatorAttributes.Operands, OperandNames.BFloat16);
        if (bias.Length > 0)
            result.SetInput(InputNames.Bias, bias);
        Put(layer, node, result, node.Outputs[0]);
    }

    private string Bias(WeightLayer layer, string bias)
    {
        float[] row = BiasRow.Find(model, layer)!;
        if (model.FindInitializer(bias) is { DataType: OnnxType.Float, Dims: [var length] } && length == row.Length)
            return bias;
        return model.AddInitializer(TensorData.Create<float>(model.UniqueName($"{layer.Name}.bias_row"), [row.Length], row)).Name;
    }

    private void WriteQuantized(NodeProto node, NodeProto result, QuantizedLayer quantized)
    {
        NodeProto dequantize = quantized.DequantizeInput, quantize = quantized.QuantizeOutput;
        string scales = model.UniqueName($"{node.Name}.weight_scale");
        model.AddInitializer(TensorData.Create<float>(scales, [quantized.WeightScales.Length], quantized.WeightScales));
        result.SetInput(InputNames.X, dequantize.Inputs[0])
            .SetInput(InputNames.InputScale, dequantize.Inputs[1]).SetInput(InputNames.InputZeroPoint, dequantize.Inputs[2])
            .SetInput(InputNames.WeightScales, scales)
            .SetInput(InputNames.OutputScale, quantize.Inputs[1]).SetInput(InputNames.OutputZeroPoint, quantize.Inputs[2]);
        if (quantized.BiasName is { } bias)
            result.SetInput(InputNames.Bias, bias);
        if (quantized.Clamp is { } clamp)
        {
            PackedActivation.FindClamp(model, clamp)!.WriteTo(result);
            model.Nodes.Remove(clamp);
        }
    }

    private void Put(WeightLayer layer, NodeProto node, NodeProto packed, string output)
    {
        int at = model.Nodes.IndexOf(node);
        model.Nodes.RemoveAt(at);
        if (!node.Is("Conv"))
        {
            packed.Outputs.Add(output);
            model.Nodes.Insert(at, packed);
            if (layer.IsLeft)
                Wrap(packed, layer.Input.Rank, before: Swap, after: Swap);
            Cast(layer, packed, packed);
            return;
        }

        var window = WeightLayers.ReadWindow(node, layer.Shape);
        // SAME pads by the image's size: only then must it be known.
        int[] pads = window.AutoPad == "VALID" ? [0, 0, 0, 0] : window.Pads;
        if (window.AutoPad.StartsWith("SAME", StringComparison.Ordinal))
        {
            ConvolutionGeometry g = layer.Workload.Convolution!;
            pads = [g.PadTop, g.PadLeft, g.PadBottom, g.PadRight];
        }

        packed.With(OperatorAttributes.Strides, window.Strides).With(OperatorAttributes.Pads, pads)
            .With(OperatorAttributes.Dilations, window.Dilations).With(OperatorAttributes.Group, layer.Shape.Groups);
        NodeProto before = ChannelsLastRegions.ToChannelsLast(model, packed.Inputs[0]);
        packed.Inputs[0] = before.Outputs[0];
        packed.Outputs.Add(model.UniqueName($"{output}_nhwc"));
        NodeProto after = ChannelsLastRegions.ToChannelsFirst(model, packed.Outputs[0], output);
        model.Nodes.InsertRange(at, [before, packed, after]);
        if (layer.SpatialRank == 1)
            Lift(before, after);
        Cast(layer, before, after);
    }

    /// <summary>A signal becomes an image of one row, and the result a signal again.</summary>
    private void Lift(NodeProto first, NodeProto last)
    {
        bool axesAreInput = model.OpsetVersion() >= 13;
        string axis = axesAreInput
            ? model.AddInitializer(TensorData.Create<long>(model.UniqueName($"{last.Outputs[0]}.row_axis"), [1], [2])).Name
            : "";
        Surround(first, last, (input, result) => Row("Unsqueeze", input, result), (input, result) => Row("Squeeze", input, result));

        NodeProto Row(string op, string input, string result)
        {
            var node = new NodeProto(op, model.UniqueName(result), axesAreInput ? [input, axis] : [input], [result]);
            return axesAreInput ? node : node.With("axes", [2L]);
        }
    }

    /// <summary>Packed operators read and write fp32: around one in a half-precision network stand Casts.</summary>
    private void Cast(WeightLayer layer, NodeProto first, NodeProto last)
    {
        OnnxType type = layer.Input.Type == OnnxType.Undefined ? layer.WeightType : layer.Input.Type;
        if (layer.IsQuantized || type is not (OnnxType.Float16 or OnnxType.BFloat16))
            return;
        Surround(first, last, (input, result) => To(input, result, OnnxType.Float), (input, result) => To(input, result, type));

        NodeProto To(string input, string result, OnnxType to) =>
            new NodeProto("Cast", model.UniqueName(result), [input], [result]).With("to", (long)to);
    }

    private void Wrap(
        NodeProto packed, int rank, Func<int, string, string, NodeProto> before, Func<int, string, string, NodeProto> after) =>
        Surround(packed, packed, (input, result) => before(rank, input, result), (input, result) => after(rank, input, result));

    /// <summary>Swaps the last two dimensions.</summary>
    private NodeProto Swap(int rank, string input, string result) =>
        new NodeProto("Transpose", model.UniqueName(result), [input], [result])
            .With("perm", [.. Enumerable.Range(0, rank - 2).Select(axis => (long)axis), rank - 1L, rank - 2L]);

    /// <summary>Puts a node before the first of some nodes in a row, and one behind the last.</summary>
    private void Surround(
        NodeProto first, NodeProto last, Func<string, string, NodeProto> before, Func<string, string, NodeProto> after)
    {
        string output = last.Outputs[0], name = model.UniqueName($"{output}_own"), input = model.UniqueName($"{output}_in");
        NodeProto head = before(first.Inputs[0], input);
        first.Inputs[0] = head.Outputs[0];
        model.Nodes.Insert(model.Nodes.IndexOf(first), head);
        last.Outputs[0] = name;
        model.Nodes.Insert(model.Nodes.IndexOf(last) + 1, after(name, output));
    }
}
