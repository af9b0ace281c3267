using Dovetail.Onnx.Model;
using Dovetail.Onnx.Operators;

namespace Dovetail.Onnx.Passes.Layout;

/// <summary>
/// Which nodes of a graph of NCHW images can work in NHWC instead, as their rows say (<see cref="LayoutFreedom"/>).
/// The pass that moves Transposes over them (<see cref="ChannelsLastRegions"/>) and the prediction of how many stay
/// (<see cref="Choose.LayoutLinks"/>) both ask here.
/// </summary>
/// <param name="model">The graph.</param>
/// <param name="shapes">Of its tensors while they are NCHW.</param>
internal sealed class LayoutFreeOperators(OnnxModel model, IReadOnlyDictionary<string, TensorInfo> shapes)
{
    private readonly ChannelsLastWindows _windows = new(model, shapes);

    public bool Contains(NodeProto node)
    {
        if (Read(node) is not { Operator.Layout: { EndsLayout: false } layout } op)
            return false;
        if (layout.Twin is not null)
            return _windows.CanTurn(op);
        return (layout.AllOutputs ? !node.Outputs.Exists(model.IsOutput) : node.Outputs.Count(output => output.Length > 0) == 1)
            && (layout.Axis is null || node.GetInt(layout.Axis, 0) is 1 or -3)
            && (layout.PerDimension.Count == 0 || FindPerDimension(op) is not null)
            && (!layout.AllInputs || node.Inputs.All(i => IsPermutableConstant(i) || IsImage(i)));
    }

    /// <summary>True for an operator that takes each number of its first input alone.</summary>
    public bool IsElementwise(NodeProto node) => Read(node) is { Operator.Layout.IsElementwise: true } && Contains(node);

    /// <summary>True for the mean of a whole image, which is as good in either layout and ends it.</summary>
    /// <remarks>The Reshape that stands behind it then takes its shape as an input, since operator set 5.</remarks>
    public bool EndsLayout(NodeProto node) => Read(node) is { Operator.Layout.EndsLayout: true } && model.OpsetVersion() >= 5;

    /// <summary>A constant that another one can stand for in NHWC: a number, or floats, one a channel or an image.</summary>
    public bool IsPermutableConstant(string tensor) => model.FindInitializer(tensor) is { } constant
        && ((constant.ElementCount() == 1 && constant.Dims.Count <= 1)
            || (constant.DataType == OnnxType.Float
                && (constant.ElementCount() == 1 || constant.Dims.Count == 4
                || (constant.Dims.Count == 3 && constant.Dims[1] == 1 && constant.Dims[2] == 1))));

    /// <summary>The parameter of a node that has numbers for each of four dimensions; null where it is no constant of that kind.</summary>
    public string? FindPerDimension(OperatorNode op)
    {
        string? given = op.Operator.Layout!.PerDimension.FirstOrDefault(op.IsGiven);
        if (given is null)
            return null;
        (AttributeProto? attribute, int? input) = op.Locate(given);
        long? count = input is { } at ? model.FindConstant(op.Node.Inputs[at])?.ElementCount()
            : Math.Max(attribute!.Ints.Count, attribute.Floats.Count);
        return count is 4 or 8 ? given : null;
    }

    /// <summary>The node with its row; null where it has none or that says no word about layout.</summary>
    public OperatorNode? Read(NodeProto node) =>
        OperatorNode.Find(model, node) is { Operator.Layout: { } layout } op && layout.Only?.Invoke(op) != false ? op : null;

    /// <summary>Makes a window operator an NHWC one; its image input and its output are the caller's to change.</summary>
    public void TurnWindow(OperatorNode op, Func<string, string> uniqueName) => _windows.Turn(op, uniqueName);

    private bool IsImage(string tensor) =>
        model.FindInitializer(tensor) is null && shapes.TryGetValue(tensor, out TensorInfo? info) && info.Rank == 4;
}
