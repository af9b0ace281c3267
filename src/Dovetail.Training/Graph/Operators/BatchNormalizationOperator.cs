using Dovetail.Onnx.Model;
using static TorchSharp.torch;

namespace Dovetail.Training.Graph.Operators;

/// <summary>
/// ONNX BatchNormalization: inputs X, scale, shift, running mean, running variance. While training, the
/// batch's own statistics normalise, and running = momentum · running + (1 − momentum) · batch.
/// </summary>
internal sealed class BatchNormalizationOperator(NodeProto node) : IGraphOperator
{
    private readonly double _epsilon = node.GetFloat("epsilon", 1e-5f);
    private readonly double _torchMomentum = 1 - (double)node.GetFloat("momentum", 0.9f); // Torch weighs the batch

    public InputRole RoleOf(int input) => input switch
    {
        0 => InputRole.Passed,
        1 or 2 => InputRole.Bias,
        _ => InputRole.Buffer,
    };

    public Tensor Forward(ReadOnlySpan<Tensor?> inputs, ForwardMode mode) =>
        nn.functional.batch_norm(inputs[0]!, inputs[3]!, inputs[4]!, inputs[1]!, inputs[2]!, mode.IsTraining, _torchMomentum, _epsilon);
}
