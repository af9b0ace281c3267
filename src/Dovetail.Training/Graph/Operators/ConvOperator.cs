using Dovetail.Onnx.Model;
using static TorchSharp.torch;

namespace Dovetail.Training.Graph.Operators;

/// <summary>ONNX Conv in two dimensions: X [N, C, H, W], W [M, C/group, kh, kw], B [M].</summary>
internal sealed class ConvOperator : IGraphOperator
{
    private readonly WindowAttributes _window;
    private readonly long _groups;

    public ConvOperator(NodeProto node, OnnxModel model)
    {
        long[] weight = [.. model.Constant(node.Inputs[1], node).Dims];
        if (weight.Length != 4)
            throw new GraphException($"{node} has weights of rank {weight.Length}, expected 4: only convolutions in two dimensions can be "
                + "trained.");
        _window = new WindowAttributes(node, weight[2..]);
        _groups = node.GetInt("group", 1);
    }

    public InputRole RoleOf(int input) => input == 2 ? InputRole.Bias : InputRole.Weight;

    public Tensor Forward(ReadOnlySpan<Tensor?> inputs, ForwardMode mode)
    {
        (Tensor x, long[] padding) = _window.Pad(inputs[0]!, value: 0);
        Tensor? bias = inputs.Length > 2 ? inputs[2] : null;
        if (!mode.UseBFloat16)
            return nn.functional.conv2d(x, inputs[1]!, bias, _window.Strides, padding, _window.Dilations, _groups);
        Tensor y = nn.functional.conv2d(
            x.to(bfloat16), inputs[1]!.to(bfloat16), bias?.to(bfloat16), _window.Strides, padding, _window.Dilations, _groups);
        return y.to(float32);
    }
}
