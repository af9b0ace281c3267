using Dovetail.Onnx.Model;

namespace Dovetail.Onnx.Operators;

/// <summary>What a shape rule sees of its node: inputs with their shapes, constants, parameters.</summary>
internal sealed class ShapeContext(OperatorNode op, IReadOnlyDictionary<string, TensorInfo> known, Func<string, Dim[]?> values)
{
    /// <summary>Longer tensors are no shapes.</summary>
    public const int MostElements = 16;

    public NodeProto Node => op.Node;

    public OperatorNode Operator => op;

    /// <summary>Of the operator.</summary>
    public int Version => op.Version;

    public TensorInfo Input(int index) =>
        known.TryGetValue(Node.Input(index), out TensorInfo? info) && info.HasShape
            ? info
            : throw new UndeterminedException($"{Node} needs input {index}, '{Node.Input(index)}', whose shape is not known.");

    public TensorInfo Input(int index, int rank)
    {
        TensorInfo info = Input(index);
        return info.Rank == rank ? info : throw Bad($"input {index} is {info}, expected rank {rank}");
    }

    /// <summary>The elements of a short integer input, row-major, as far as they are known; null where they are not.</summary>
    public Dim[]? Values(int index) => Node.HasInput(index) ? values(Node.Inputs[index]) : null;

    /// <summary>The same of a parameter, wherever the operator's version has it; null too where it is left out.</summary>
    public Dim[]? Values(string parameter) => op.Locate(parameter) switch
    {
        (_, { } input) => Values(input),
        (not null, _) => Array.ConvertAll(op.Ints(parameter)!, v => (Dim)v),
        _ => null,
    };

    public int Axis(long axis, int rank) =>
        axis >= -rank && axis < rank ? (int)(axis < 0 ? axis + rank : axis) : throw Bad($"axis {axis} lies outside rank {rank}");

    /// <summary>The rule cannot say: what it needs is known at run time only.</summary>
    public OnnxException Undetermined(string what) => new UndeterminedException($"{Node}: {what}.");

    public OnnxException Bad(string what) => new($"{Node}: {what}.");

    /// <summary>A length that many times; not known where it is not.</summary>
    public Dim Times(Dim length, long factor) =>
        factor < 0 || length.Value > long.MaxValue / Math.Max(1, factor) ? throw Bad($"a length of {length} cannot be taken {factor} times")
        : factor == 1 ? length
        : length.Value is { } known ? known * factor
        : Dim.Unknown;

    /// <summary>NumPy's broadcasting.</summary>
    public Dim[] Broadcast(TensorInfo a, TensorInfo b)
    {
        int rank = Math.Max(a.Rank, b.Rank);
        var shape = new Dim[rank];
        for (int i = 0; i < rank; i++)
        {
            Dim x = i < rank - a.Rank ? 1 : a.Shape[i - (rank - a.Rank)];
            Dim y = i < rank - b.Rank ? 1 : b.Shape[i - (rank - b.Rank)];
            shape[i] = x == y || y.Value == 1 ? x
                : x.Value == 1 ? y
                : x.IsKnown && y.IsKnown ? throw Bad($"{a} and {b} do not broadcast")
                : x.IsKnown ? x
                : y.IsKnown ? y
                : Dim.Unknown;
        }

        return shape;
    }
}
