using Dovetail.Onnx.Model;
using Dovetail.Onnx.Shapes;

namespace Dovetail.Onnx.Passes.Layout;

/// <summary>
/// Which nodes of a graph of NCHW images can work in NHWC instead, by changing no more than attributes and constants.
/// The pass that moves Transposes over them (<see cref="ChannelsLastRegions"/>) and the prediction of how many stay
/// (<see cref="Choice.LayoutLinks"/>) both ask here.
/// </summary>
/// <param name="model">The graph.</param>
/// <param name="shapes">Of its tensors while they are NCHW.</param>
internal sealed class LayoutFreeOperators(OnnxModel model, IReadOnlyDictionary<string, TensorInfo> shapes)
{
    private readonly ChannelsLastWindows _windows = new(model, shapes);

    public bool Contains(NodeProto node) => node.Domain is "" or "ai.onnx" && node.OpType switch
    {
        "Add" or "Sub" or "Mul" or "Div" or "Pow" => node.Inputs.All(i => IsPermutableConstant(i) || IsImage(i)),
        "Concat" => node.GetInt("axis") is 1 or -3 && node.Inputs.All(i => IsPermutableConstant(i) || IsImage(i)),
        "MaxPool" or "AveragePool" or "Conv" => _windows.CanTurn(node),
        "Split" => node.GetInt("axis", 0) is 1 or -3 && !node.Outputs.Exists(model.IsOutput),
        "Pad" => !node.HasInput(3) && PermutableInput(node) is 1,
        "Resize" => node.GetString("mode", "nearest") == "nearest" && node.FindAttribute("axes") is null && PermutableInput(node) is 2 or 3,
        "Gather" => node.GetInt("axis", 0) is 1 or -3 && model.FindConstant(node.Inputs[1])?.Dims.Count == 1, // an order of channels
        _ => IsUnary(node),
    };

    /// <summary>True for an operator that takes each number of its first input alone.</summary>
    public bool IsUnary(NodeProto node) => node.Domain is "" or "ai.onnx" && node.OpType switch
    {
        "Relu" or "LeakyRelu" or "Clip" or "Sigmoid" or "Tanh" or "HardSigmoid" or "HardSwish" or "Gelu" or "Identity" or "Erf" or "Neg" or "Abs" or "Exp" or "Sqrt" or "Elu" or "Softplus" or "Mish" => true,
        "QuantizeLinear" or "DequantizeLinear" => model.FindConstant(node.Inputs[1])?.ElementCount() == 1,
        _ => false,
    };

    /// <summary>True where all inputs are images, or constants of such a shape; of the others the first is.</summary>
    public static bool TakesSeveralImages(NodeProto node) => node.OpType is "Add" or "Sub" or "Mul" or "Div" or "Pow" or "Concat";

    /// <summary>A constant that another one can stand for in NHWC: a number, or floats, one a channel or an image.</summary>
    public bool IsPermutableConstant(string tensor) => model.FindInitializer(tensor) is { } constant
        && ((constant.ElementCount() == 1 && constant.Dims.Count <= 1)
            || (constant.DataType == OnnxType.Float && (constant.ElementCount() == 1 || constant.Dims.Count == 4 || (constant.Dims.Count == 3 && constant.Dims[1] == 1 && constant.Dims[2] == 1))));

    /// <summary>The input of Pad or Resize that has a number for each dimension; null where it is no constant of that kind.</summary>
    public int? PermutableInput(NodeProto node)
    {
        if (node.Is("Pad"))
            return node.HasInput(1) && model.FindConstant(node.Inputs[1])?.ElementCount() == 8 ? 1 : null;
        if (!node.Is("Resize"))
            return null;
        int input = node.HasInput(3) ? 3 : 2;
        return node.HasInput(input) && model.FindConstant(node.Inputs[input])?.ElementCount() == 4 ? input : null;
    }

    /// <summary>Makes a window operator an NHWC one; its image input and its output are the caller's to change.</summary>
    public void TurnWindow(NodeProto node)
    {
        if (node.OpType is "MaxPool" or "AveragePool" or "Conv")
            _windows.Turn(node);
    }

    private bool IsImage(string tensor) => model.FindInitializer(tensor) is null && shapes.TryGetValue(tensor, out TensorInfo? info) && info.Rank == 4;
}
