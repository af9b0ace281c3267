using Dovetail.Onnx.Model;

namespace Dovetail.Onnx.Shapes;

/// <summary>What a shape rule sees of its node: inputs with their shapes, constants, attributes.</summary>
internal sealed class ShapeContext(OnnxModel model, NodeProto node, IReadOnlyDictionary<string, TensorInfo> known, ShapeValues values)
{
    public NodeProto Node => node;

    public TensorInfo Input(int index) =>
        known.TryGetValue(node.Input(index), out TensorInfo? info)
            ? info
            : throw new OnnxException($"{node} needs input {index}, '{node.Input(index)}', whose shape is not known.");

    public TensorInfo Input(int index, int rank)
    {
        TensorInfo info = Input(index);
        return info.Rank == rank ? info : throw Bad($"input {index} is {info}, expected rank {rank}");
    }

    /// <summary>The elements of an integer input of rank 0 or 1, as far as they are known; null where they are not.</summary>
    public Dim[]? Values(int index) => node.HasInput(index) ? values.Find(node.Inputs[index]) : null;

    public TensorProto Constant(int index) => model.Constant(node.Input(index), node);

    public TensorProto? FindConstant(int index) => model.FindConstant(node.Input(index));

    public bool OpsetAtLeast(long version) => model.OpsetVersion() >= version;

    public int Axis(long axis, int rank) =>
        axis >= -rank && axis < rank ? (int)(axis < 0 ? axis + rank : axis) : throw Bad($"axis {axis} lies outside rank {rank}");

    public OnnxException Bad(string what) => new($"{node}: {what}.");

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
