using static TorchSharp.torch;

namespace Dovetail.Training.Graph.Operators;

/// <summary>ONNX MatMul: a product with broadcasting over leading dimensions.</summary>
internal sealed class MatMulOperator : IGraphOperator
{
    public static Tensor Multiply(Tensor a, Tensor b, ForwardMode mode) =>
        mode.UseBFloat16 ? a.to(bfloat16).matmul(b.to(bfloat16)).to(float32) : a.matmul(b);

    public InputRole RoleOf(int input) => InputRole.Weight;

    public Tensor Forward(ReadOnlySpan<Tensor?> inputs, ForwardMode mode) => Multiply(inputs[0]!, inputs[1]!, mode);
}
