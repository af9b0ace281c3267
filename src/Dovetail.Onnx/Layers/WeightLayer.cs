using Dovetail.Core.Patterns;
using Dovetail.Core.Workloads;
using Dovetail.Onnx.Model;

namespace Dovetail.Onnx.Layers;

/// <summary>
/// A Conv, Gemm or MatMul node with constant weights, seen as the matrix W[M, K] that patterns cut into
/// cells. Reads and writes go to the model it was found in.
/// </summary>
public sealed class WeightLayer
{
    private readonly TensorProto _tensor;
    private readonly bool _inputsFirst;
    private readonly Lazy<LayerWorkload> _workload;

    internal WeightLayer(NodeProto node, TensorProto tensor, bool inputsFirst, NodeProto? dequantize, WeightShape shape, bool hasFixedSize,
        Func<LayerWorkload> workload)
    {
        (Node, _tensor, _inputsFirst, Dequantize, Shape, HasFixedSize) = (node, tensor, inputsFirst, dequantize, shape, hasFixedSize);
        _workload = new Lazy<LayerWorkload>(workload);
    }

    public NodeProto Node { get; }

    /// <summary>The node's name, unique in the graph.</summary>
    public string Name => Node.Name;

    /// <summary>The node's operator: Conv, Gemm or MatMul.</summary>
    public string Op => Node.OpType;

    /// <summary>The initializer's name.</summary>
    public string WeightName => _tensor.Name;

    public WeightShape Shape { get; }

    /// <summary>The product that the layer computes for batch 1.</summary>
    /// <exception cref="OnnxException">A size is not fixed: an image's, or the tokens'. GraphSlicer.WithDimensions fixes it.</exception>
    public LayerWorkload Workload => _workload.Value;

    /// <summary>True where <see cref="Workload"/> is known.</summary>
    internal bool HasFixedSize { get; }

    /// <summary>True where the weights are int8 behind a DequantizeLinear.</summary>
    public bool IsQuantized => Dequantize is not null;

    /// <summary>The DequantizeLinear between the initializer and the node.</summary>
    internal NodeProto? Dequantize { get; }

    /// <summary>Bytes of the dense weights in the file.</summary>
    public long DenseBytes => (long)Shape.Count * TensorData.ElementBytes(_tensor.DataType);

    /// <summary>The weights in matrix order [outputs, taps·channels], as float.</summary>
    /// <exception cref="OnnxException">They are int8; see <see cref="GetInt8Weights"/>.</exception>
    public float[] GetWeights() => ToMatrix(_tensor.ToFloats());

    /// <summary>The int8 weights of a quantized layer in matrix order.</summary>
    internal sbyte[] GetInt8Weights() => ToMatrix(_tensor.Read<sbyte>());

    /// <summary>Which weights are not zero, in matrix order, whatever their type.</summary>
    public bool[] GetNonZeros() => IsQuantized
        ? Array.ConvertAll(GetInt8Weights(), w => w != 0)
        : Array.ConvertAll(GetWeights(), w => w != 0);

    /// <summary>Replaces the weights, given in matrix order. The initializer becomes float.</summary>
    public void SetWeights(ReadOnlySpan<float> matrix)
    {
        if (IsQuantized)
            throw new OnnxException($"{Node} has int8 weights; change the floating-point model and quantize it again.");
        var tensor = new float[Shape.Count];
        if (_inputsFirst)
            Transpose<float>(matrix, tensor, Shape.Outputs, Shape.Inputs);
        else
            Shape.ToTensorOrder(matrix, tensor);
        _tensor.Write<float>(tensor);
    }

    /// <summary>Why a pattern does not fit the layer's shape; null where it does.</summary>
    public string? ReasonAgainst(ComplementaryPattern pattern) => PatternFit.ReasonAgainst(Shape, pattern);

    private T[] ToMatrix<T>(T[] tensor)
    {
        var matrix = new T[Shape.Count];
        if (_inputsFirst)
            Transpose<T>(tensor, matrix, Shape.Inputs, Shape.Outputs);
        else
            Shape.ToMatrixOrder<T>(tensor, matrix);
        return matrix;
    }

    private static void Transpose<T>(ReadOnlySpan<T> source, Span<T> target, int rows, int columns)
    {
        for (int row = 0; row < rows; row++)
            for (int column = 0; column < columns; column++)
                target[column * rows + row] = source[row * columns + column];
    }
}
