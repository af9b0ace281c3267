namespace Dovetail.Onnx.Model;

/// <summary>The ONNX operators that multiply what they read by weights, and the inputs that the weights may stand at.</summary>
internal static class LayerOperators
{
    public static bool Contains(NodeProto node) => WeightInputs(node).Length > 0;

    /// <summary>Empty for every other operator.</summary>
    public static int[] WeightInputs(NodeProto node) => node.Domain is not ("" or "ai.onnx") ? [] : node.OpType switch
    {
        "Conv" or "ConvTranspose" or "Gemm" => [1],
        "MatMul" => [0, 1],
        "LSTM" or "GRU" or "RNN" => [1, 2],
        _ => [],
    };
}
