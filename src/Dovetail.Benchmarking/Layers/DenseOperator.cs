using Dovetail.Onnx.Model;

namespace Dovetail.Benchmarking.Layers;

/// <summary>A way in which ONNX Runtime can run a dense layer.</summary>
/// <param name="Name">E.g. "Conv NCHWc", "MatMul".</param>
/// <param name="Model">One node, in the layout that it wants.</param>
/// <param name="OptimizeGraph">False where the model is already what shall run.</param>
internal sealed record DenseOperator(string Name, byte[] Model, bool OptimizeGraph)
{
    /// <summary>fp32: Conv in the blocked layout of ONNX Runtime and on NCHW; Gemm and MatMul.</summary>
    public static IReadOnlyList<DenseOperator> Float(LayerShape shape, SyntheticLayer layer, int batch) =>
        shape.Workload.Convolution is not null
            ? Convolutions("Conv NCHW", layer.Float(layer.FloatWeights).ToBytes(), shape, batch)
            : [Alone("Gemm", layer.Float(layer.FloatWeights)), Alone("MatMul", layer.FloatMatMul(layer.FloatWeights))];

    /// <summary>int8: QLinearConv on NHWC and NCHW; QLinearMatMul and MatMulInteger, which leaves the scaling out.</summary>
    public static IReadOnlyList<DenseOperator> Quantized(LayerShape shape, SyntheticLayer layer, int batch)
    {
        OnnxModel model = layer.Quantized(layer.IntegerWeights, density: 1);
        return shape.Workload.Convolution is not null
            ? Convolutions("QLinearConv NCHW", model.ToBytes(), shape, batch)
            : [Alone("QLinearMatMul", model), Alone("MatMulInteger", layer.MatMulInteger(layer.IntegerWeights))];
    }

    private static DenseOperator Alone(string name, OnnxModel model) => new(name, model.ToBytes(), OptimizeGraph: true);

    private static DenseOperator[] Convolutions(string name, byte[] model, LayerShape shape, int batch)
    {
        var plain = new DenseOperator(name, model, OptimizeGraph: false);
        return OptimizedOperator.Extract(model, shape.ChannelsLastInput(batch), shape.Weights.Groups) is { } optimized
            ? [new DenseOperator(optimized.Name, optimized.Model, OptimizeGraph: false), plain]
            : [plain];
    }
}
