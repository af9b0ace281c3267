using Dovetail.Onnx.Model;
using Dovetail.Onnx.Shapes;

namespace Dovetail.Onnx.Passes.Layout;

/// <summary>
/// Turns ONNX's pooling and depthwise convolutions into the NHWC operators of ai.dovetail. What these do not know
/// (indices of a maximum, padding that follows from a size that is not fixed, several outputs a channel) stays ONNX's own.
/// </summary>
internal sealed class ChannelsLastWindows(OnnxModel model, IReadOnlyDictionary<string, TensorInfo> shapes)
{
    public bool CanTurn(NodeProto node)
    {
        if (node.Domain is not ("" or "ai.onnx") || node.Outputs.Skip(1).Any(o => o.Length > 0) || shapes[node.Inputs[0]] is not { Rank: 4, Type: OnnxType.Float })
            return false;
        return node.OpType switch
        {
            "MaxPool" => node.GetInt("storage_order", 0) == 0 && HasFixedPads(node),
            "AveragePool" => HasFixedPads(node),
            "Conv" => IsDepthwise(node) && HasFixedPads(node),
            _ => false,
        };
    }

    /// <summary>Changes the node in place; its image input and its output are the caller's to change.</summary>
    public void Turn(NodeProto node)
    {
        Window window = WindowOf(node);
        TensorInfo x = shapes[node.Inputs[0]];
        (int top, int bottom) = window.PadsOf(0, (int)(x.Shape[2].Value ?? 0));
        (int left, int right) = window.PadsOf(1, (int)(x.Shape[3].Value ?? 0));
        node.RemoveAttribute("auto_pad");
        node.RemoveAttribute("storage_order");
        node.RemoveAttribute("group");
        node.With("kernel_shape", window.Kernel).With("strides", window.Strides).With("pads", [top, left, bottom, right]).With("dilations", window.Dilations);
        if (node.Is("Conv"))
            node.Inputs[1] = FilterChannelsLast(node, window.Kernel);
        (node.OpType, node.Domain) = (node.OpType switch { "MaxPool" => "MaxPoolNhwc", "AveragePool" => "AveragePoolNhwc", _ => "DepthwiseConvNhwc" }, OnnxModel.DovetailDomain);
    }

    /// <summary>
    /// A maximum between DequantizeLinear and QuantizeLinear of one scale is taken on the bytes. Works on the finished graph.
    /// </summary>
    public static void TakeBytes(OnnxModel model)
    {
        foreach (NodeProto node in model.Nodes.Where(n => n.Domain == OnnxModel.DovetailDomain && n.OpType == "MaxPoolNhwc").ToList())
        {
            if (model.FindProducer(node.Inputs[0]) is not { } before || !before.Is("DequantizeLinear")
                || model.SingleConsumer(node.Outputs[0]) is not { } after || !after.Is("QuantizeLinear")
                || !HasSameConstant(model, before, after, 1) || !HasSameConstant(model, before, after, 2)
                || model.FindConstant(before.Inputs[2]) is not { DataType: OnnxType.UInt8 })
                continue;
            node.OpType = "MaxPoolNhwcU8";
            node.Inputs[0] = before.Inputs[0];
            node.Outputs[0] = after.Outputs[0];
            model.Nodes.Remove(after);
        }

        model.RemoveDeadNodes();
    }

    private static bool HasSameConstant(OnnxModel model, NodeProto a, NodeProto b, int input) =>
        a.HasInput(input) && b.HasInput(input)
        && model.FindConstant(a.Inputs[input]) is { } one && model.FindConstant(b.Inputs[input]) is { } other
        && one.ElementCount() == 1 && other.ElementCount() == 1 && one.DataType == other.DataType && one.ReadBytes().AsSpan().SequenceEqual(other.ReadBytes());

    // SAME pads by the image's size.
    private bool HasFixedPads(NodeProto node) =>
        !node.GetString("auto_pad", "NOTSET").StartsWith("SAME", StringComparison.Ordinal) || shapes[node.Inputs[0]].Shape.Skip(2).All(d => d.IsKnown);

    private bool IsDepthwise(NodeProto node) =>
        model.FindInitializer(node.Inputs[1]) is { DataType: OnnxType.Float, Dims: [var outputs, 1, _, _] }
        && outputs > 1 && node.GetInt("group", 1) == outputs
        && (!node.HasInput(2) || model.FindInitializer(node.Inputs[2]) is { DataType: OnnxType.Float });

    private Window WindowOf(NodeProto node) => Window.Read(node, node.Is("Conv")
        ? [.. model.FindInitializer(node.Inputs[1])!.Dims.Skip(2).Select(d => (int)d)]
        : [.. node.GetInts("kernel_shape").Select(k => (int)k)]);

    private string FilterChannelsLast(NodeProto node, int[] kernel)
    {
        TensorProto filter = model.FindInitializer(node.Inputs[1])!;
        float[] values = filter.ToFloats(), moved = new float[values.Length];
        int taps = kernel[0] * kernel[1], channels = values.Length / taps;
        for (int c = 0; c < channels; c++)
            for (int tap = 0; tap < taps; tap++)
                moved[tap * channels + c] = values[c * taps + tap];
        return model.AddInitializer(TensorData.Create<float>(model.UniqueName($"{filter.Name}_nhwc"), [kernel[0], kernel[1], channels], moved)).Name;
    }
}
