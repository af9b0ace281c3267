using Dovetail.Onnx.Model;
using static TorchSharp.torch;

namespace Dovetail.Training.Graph.Operators;

/// <summary>ONNX Gemm: alpha · A'·B' + beta · C, each of A and B as it is or transposed.</summary>
internal sealed class GemmOperator(NodeProto node) : IGraphOperator
{
    private readonly bool _transposeA = node.GetInt("transA", 0) != 0, _transposeB = node.GetInt("transB", 0) != 0;
    private readonly float _alpha = node.GetFloat("alpha", 1), _beta = node.GetFloat("beta", 1);

    public InputRole RoleOf(int input) => input == 2 ? InputRole.Operand : InputRole.Weight;

    public Tensor Forward(ReadOnlySpan<Tensor?> inputs, ForwardMode mode)
    {
        Tensor a = inputs[0]!, b = inputs[1]!;
        Tensor y = MatMulOperator.Multiply(_transposeA ? a.t() : a, _transposeB ? b.t() : b, mode);
        if (_alpha != 1)
            y = y * _alpha;
        if (inputs.Length > 2 && inputs[2] is { } c)
            y = y + (_beta == 1 ? c : c * _beta);
        return y;
    }
}
