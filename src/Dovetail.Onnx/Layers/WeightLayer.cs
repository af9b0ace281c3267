using Dovetail.Core.Patterns;
using Dovetail.Core.Workloads;
using Dovetail.Onnx.Model;

namespace Dovetail.Onnx.Layers;

/// <summary>
/// A node with constant weights, seen as the matrix W[M, K] that patterns cut into cells: Conv, ConvTranspose, Gemm, MatMul, and each
/// matrix of a recurrent layer. Reads and writes go to the model it was found in.
/// </summary>
public sealed class WeightLayer
{
    private readonly TensorProto _tensor;
    private readonly WeightForm _form;
    private readonly Lazy<LayerWorkload> _workload;

    /// <param name="graph">The graph that holds the node: the model's own, or one inside a node.</param>
    /// <param name="weightName">The tensor's own name says nothing where a Constant node holds it.</param>
    /// <param name="input">The activations that the layer reads.</param>
    internal WeightLayer(OnnxModel graph, NodeProto node, string name, TensorProto tensor, string weightName, WeightForm form,
        NodeProto? dequantize, WeightShape shape, TensorInfo input, Func<LayerWorkload> workload)
    {
        (Graph, Node, Name, _tensor, WeightName) = (graph, node, name, tensor, weightName);
        (_form, Dequantize, Shape, Input) = (form, dequantize, shape, input);
        _workload = new Lazy<LayerWorkload>(workload);
    }

    internal OnnxModel Graph { get; }

    internal TensorProto Tensor => _tensor;

    /// <summary>How the tensor holds the matrix.</summary>
    internal WeightForm Form => _form;

    /// <summary>The graph that holds the tensor: the layer's own, or one around it.</summary>
    internal OnnxModel Home
    {
        get
        {
            OnnxModel home = Graph;
            while (home.Outer is not null && !home.Makes(WeightName))
                home = home.Outer;
            return home;
        }
    }

    /// <summary>Something else that reads the weights and is no layer: a node, or the model's caller; null where nothing does.</summary>
    internal string? OtherReader
    {
        get
        {
            OnnxModel home = Home;
            if (Dequantize is not null)
                return null;
            foreach (OnnxModel graph in home.WithBodies().Where(graph => graph.Graph == home.Graph || !graph.Makes(WeightName)))
            {
                if (graph.IsOutput(WeightName))
                    return "an output of the model";
                foreach (NodeProto node in graph.Nodes)
                    for (int i = 0; i < node.Inputs.Count; i++)
                        if (node.Inputs[i] == WeightName && !LayerOperators.WeightInputs(node).Contains(i))
                            return node.ToString();
            }

            return null;
        }
    }

    /// <summary>True where the same tensor is the same matrix for another layer.</summary>
    internal bool ReadsAs(WeightLayer other) => _form == other._form && Shape.Equals(other.Shape);

    public NodeProto Node { get; }

    /// <summary>
    /// The node's name, unique in the model; inside another node the path to it, "If_0/then_branch/Conv_3". The matrices of a recurrent
    /// layer are "NAME/W" and "NAME/R".
    /// </summary>
    public string Name { get; }

    /// <summary>The node's operator, e.g. Conv, Gemm or MatMul.</summary>
    public string Op => Node.OpType;

    /// <summary>The name that the graph reads the weights by: an initializer's, or what a Constant node makes.</summary>
    public string WeightName { get; }

    public WeightShape Shape { get; }

    /// <summary>The product that the layer computes for batch 1.</summary>
    /// <exception cref="OnnxException">A size is not fixed: an image's, or the tokens'. GraphSlicer.WithDimensions fixes it.</exception>
    public LayerWorkload Workload => _workload.Value;

    /// <summary>True where <see cref="Workload"/> is known.</summary>
    internal bool HasFixedSize => Input.IsFixed;

    /// <summary>Type and shape of the activations, as far as they are known.</summary>
    internal TensorInfo Input { get; }

    /// <summary>True for a convolution, or a product X·W with the constant on the right: what every pass understands.</summary>
    internal bool IsStandard => _form is WeightForm.Convolution or WeightForm.OutputsFirst or WeightForm.InputsFirst
        && Node.GetInt("transA", 0) == 0;

    /// <summary>True for a constant on the left of a MatMul.</summary>
    internal bool IsLeft => _form == WeightForm.Left;

    /// <summary>The spatial dimensions of a convolution, 0 for a matrix.</summary>
    internal int SpatialRank => _form == WeightForm.Convolution ? _tensor.Dims.Count - 2 : 0;

    /// <summary>How many layers read these weights.</summary>
    internal int Readers
    {
        get
        {
            OnnxModel home = Home;
            return home.WithBodies().Where(graph => graph.Graph == home.Graph || !graph.Makes(WeightName))
                .Sum(graph => graph.Nodes.Count(node => node.Inputs.Contains(WeightName)));
        }
    }

    /// <summary>Why there is no packed operator for a layer of this kind; null where there is one. It can be pruned nevertheless.</summary>
    internal string? ReasonAgainstPacking => _form switch
    {
        WeightForm.TransposedConvolution => "ConvTranspose has no packed operator",
        WeightForm.Recurrent => $"the matrices of {Node.OpType} have no packed operator",
        WeightForm.Convolution when SpatialRank > 2 => $"convolutions over {SpatialRank} dimensions have no packed operator",
        WeightForm.Convolution when SpatialRank == 1 && !Input.HasShape => "the shape of its input is not known",
        WeightForm.Left when !Input.HasShape => "the rank of its input is not known",
        WeightForm.Left when Input.Rank < 2 => "it multiplies a single vector from the left",
        _ when _tensor.DataType == OnnxType.Double => "its weights are double, and packed operators multiply in fp32",
        _ => null,
    };

    /// <summary>True where the weights are int8 behind a DequantizeLinear.</summary>
    public bool IsQuantized => Dequantize is not null;

    /// <summary>The DequantizeLinear between the initializer and the node.</summary>
    internal NodeProto? Dequantize { get; }

    /// <summary>The initializer's element type.</summary>
    internal OnnxType WeightType => _tensor.DataType;

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

    /// <summary>Replaces the weights, given in matrix order; they are rounded to the initializer's type.</summary>
    public void SetWeights(ReadOnlySpan<float> matrix)
    {
        if (IsQuantized)
            throw new OnnxException($"{Node} has int8 weights; change the floating-point model and quantize it again.");
        var tensor = new float[Shape.Count];
        switch (_form)
        {
            case WeightForm.InputsFirst:
                Transpose<float>(matrix, tensor, Shape.Outputs, Shape.Inputs);
                break;
            case WeightForm.TransposedConvolution:
                var straight = new float[Shape.Count];
                Shape.ToTensorOrder(matrix, straight);
                Turn<float>(tensor, straight, toStraight: false);
                break;
            default:
                Shape.ToTensorOrder(matrix, tensor);
                break;
        }

        _tensor.WriteFloats(tensor);
    }

    /// <summary>Where the first weight stands that is NaN or infinite, for a message; null where all are finite.</summary>
    public string? FindNotFinite() => IsQuantized ? null : NotFinite.Find(GetWeights(), Shape)?.Words;

    /// <summary>Why a pattern does not fit the layer's shape; null where it does.</summary>
    public string? ReasonAgainst(ComplementaryPattern pattern) => PatternFit.ReasonAgainst(Shape, pattern);

    /// <summary>A tensor like the weights' in matrix order.</summary>
    internal T[] ToMatrix<T>(T[] tensor)
    {
        var matrix = new T[Shape.Count];
        switch (_form)
        {
            case WeightForm.InputsFirst:
                Transpose<T>(tensor, matrix, Shape.Inputs, Shape.Outputs);
                break;
            case WeightForm.TransposedConvolution:
                var straight = new T[Shape.Count];
                Turn<T>(tensor, straight, toStraight: true);
                Shape.ToMatrixOrder<T>(straight, matrix);
                break;
            default:
                Shape.ToMatrixOrder<T>(tensor, matrix);
                break;
        }

        return matrix;
    }

    /// <summary>Between [channels of all groups, outputs of one, taps] and a convolution's [outputs, channels of one group,
    /// taps].</summary>
    private void Turn<T>(Span<T> turned, Span<T> straight, bool toStraight)
    {
        int outputs = Shape.OutputsPerGroup, channels = Shape.Channels, taps = Shape.Taps;
        for (int m = 0; m < Shape.Outputs; m++)
            for (int c = 0; c < channels; c++)
            {
                Span<T> there = turned.Slice(((m / outputs * channels + c) * outputs + m % outputs) * taps, taps);
                Span<T> here = straight.Slice((m * channels + c) * taps, taps);
                if (toStraight)
                    there.CopyTo(here);
                else
                    here.CopyTo(there);
            }
    }

    private static void Transpose<T>(ReadOnlySpan<T> source, Span<T> target, int rows, int columns)
    {
        for (int row = 0; row < rows; row++)
            for (int column = 0; column < columns; column++)
                target[column * rows + row] = source[row * columns + column];
    }
}
