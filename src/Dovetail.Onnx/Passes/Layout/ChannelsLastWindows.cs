using Dovetail.Core.Operators;
using Dovetail.Onnx.Model;
using Dovetail.Onnx.Operators;

namespace Dovetail.Onnx.Passes.Layout;

/// <summary>
/// Turns ONNX's pooling and depthwise convolutions into the NHWC operators of ai.dovetail. What these do not know
/// (indices of a maximum, padding that follows from a size that is not fixed, several outputs a channel) stays ONNX's own.
/// </summary>
internal sealed class ChannelsLastWindows(OnnxModel model, IReadOnlyDictionary<string, TensorInfo> shapes)
{
    /// <param name="op">Its row names a twin.</param>
    public bool CanTurn(OperatorNode op) =>
        !op.Node.Outputs.Skip(1).Any(o => o.Length > 0) && shapes[op.Node.Inputs[0]] is { Rank: 4, Type: OnnxType.Float }
        && (!op.Node.Is("Conv") || IsDepthwise(op.Node)) && HasFixedPads(op.Node);

    /// <summary>Changes the node in place; its image input and its output are the caller's to change.</summary>
    public void Turn(OperatorNode op, Func<string, string> uniqueName)
    {
        NodeProto node = op.Node;
        Window window = WindowOf(node);
        TensorInfo x = shapes[node.Inputs[0]];
        (int top, int bottom) = window.PadsOf(0, (int)(x.Shape[2].Value ?? 0));
        (int left, int right) = window.PadsOf(1, (int)(x.Shape[3].Value ?? 0));
        node.RemoveAttribute("auto_pad");
        node.RemoveAttribute("storage_order");
        node.RemoveAttribute("group");
        node.With(OperatorAttributes.KernelShape, window.Kernel).With(OperatorAttributes.Strides, window.Strides)
            .With(OperatorAttributes.Pads, [top, left, bottom, right]).With(OperatorAttributes.Dilations, window.Dilations);
        if (node.Is("Conv"))
            node.Inputs[1] = FilterChannelsLast(node, window.Kernel, uniqueName);
        (node.OpType, node.Domain) = (op.Operator.Layout!.Twin!.Name, OperatorSet.Domain);
    }

    /// <summary>
    /// A maximum between DequantizeLinear and QuantizeLinear of one scale is taken on the bytes. Works on the finished graph.
    /// </summary>
    public static void TakeBytes(OnnxModel model)
    {
        foreach (NodeProto node in model.Nodes.Where(n => n.Is(OperatorSet.MaxPool)).ToList())
        {
            if (model.FindProducer(node.Inputs[0]) is not { } before || !before.Is("DequantizeLinear")
                || model.SingleConsumer(node.Outputs[0]) is not { } after || !after.Is("QuantizeLinear")
                || !HasSameConstant(model, before, after, 1) || !HasSameConstant(model, before, after, 2)
                || model.FindConstant(before.Inputs[2]) is not { DataType: OnnxType.UInt8 })
                continue;
            node.OpType = OperatorSet.MaxPoolBytes.Name;
            node.Inputs[0] = before.Inputs[0];
            node.Outputs[0] = after.Outputs[0];
            model.Nodes.Remove(after);
        }

        model.RemoveDeadNodes();
    }

    private static bool HasSameConstant(OnnxModel model, NodeProto a, NodeProto b, int input) =>
        a.HasInput(input) && b.HasInput(input)
        && model.FindConstant(a.Inputs[input]) is { } one && model.FindConstant(b.Inputs[input]) is { } other
        && one.ElementCount() == 1 && other.ElementCount() == 1 && one.DataType == other.DataType && one.ReadBytes().AsSpan()
            .SequenceEqual(other.ReadBytes());

    // SAME pads by the image's size.
    private bool HasFixedPads(NodeProto node) =>
        !node.GetString("auto_pad", "NOTSET").StartsWith("SAME", StringComparison.Ordinal) || shapes[node.Inputs[0]].Shape.Skip(2)
            .All(d => d.IsKnown);

    private bool IsDepthwise(NodeProto node) =>
        model.FindInitializer(node.Inputs[1]) is { DataType: OnnxType.Float, Dims: [var outputs, 1, _, _] }
        && outputs > 1 && node.GetInt("group", 1) == outputs
        && (!node.HasInput(2) || model.FindInitializer(node.Inputs[2]) is { DataType: OnnxType.Float });

    private Window WindowOf(NodeProto node) => Window.Read(node, node.Is("Conv")
        ? [.. model.FindInitializer(node.Inputs[1])!.Dims.Skip(2).Select(d => (int)d)]
        : node.GetInt32s("kernel_shape", 1, 1));

    private string FilterChannelsLast(NodeProto node, int[] kernel, Func<string, string> uniqueName)
    {
        TensorProto filter = model.FindInitializer(node.Inputs[1])!;
        float[] values = filter.ToFloats(), moved = new float[values.Length];
        int taps = kernel[0] * kernel[1], channels = values.Length / taps;
        for (int c = 0; c < channels; c++)
            for (int tap = 0; tap < taps; tap++)
                moved[tap * channels + c] = values[c * taps + tap];
        return model.AddInitializer(
            TensorData.Create<float>(uniqueName($"{filter.Name}_nhwc"), [kernel[0], kernel[1], channels], moved)).Name;
    }
}
