using Dovetail.Core.Operators;
using Dovetail.Core.Packing;
using Dovetail.Onnx.Layers;
using Dovetail.Onnx.Model;

namespace Dovetail.Onnx.Passes.Unpack;

/// <summary>The activation of a packed operator in ONNX's own operators, as old as the model's operator set.</summary>
internal static class UnpackedActivation
{
    private const long ClipHasInputs = 11, HasGelu = 20;

    /// <summary>Nodes from tensor <paramref name="x"/> on; the last one's output is the result. Their constants are added to the
    /// model.</summary>
    public static IEnumerable<NodeProto> Nodes(OnnxModel model, NodeProto node, string x)
    {
        PackedActivation activation = PackedActivation.Of(node);
        var nodes = new List<NodeProto>();
        switch (activation.Name)
        {
            case ActivationNames.Relu:
                Add("Relu", x);
                break;
            case ActivationNames.Clip when model.OpsetVersion() < ClipHasInputs:
                Add("Clip", x);
                nodes[0].With("min", Math.Max(activation.Least, float.MinValue)).With("max", Math.Min(activation.Greatest, float.MaxValue));
                break;
            case ActivationNames.Clip:
                Add("Clip", x, Constant("least", activation.Least), Constant("greatest", activation.Greatest));
                break;
            case ActivationNames.Silu:
                Add("Mul", x, Add("Sigmoid", x));
                break;
            case ActivationNames.Gelu or ActivationNames.GeluTanh when model.OpsetVersion() >= HasGelu:
                Add("Gelu", x);
                nodes[0].With("approximate", activation.Name == ActivationNames.Gelu ? "none" : "tanh");
                break;
            case ActivationNames.Gelu:
                Halve(Add("Erf", Add("Mul", x, Constant("inverse_root", (float)(1 / Math.Sqrt(2))))));
                break;
            case ActivationNames.GeluTanh:
                string cube = Add("Mul", Add("Mul", x, x), x);
                string sum = Add("Add", x, Add("Mul", cube, Constant("cubic", 0.044715f)));
                Halve(Add("Tanh", Add("Mul", sum, Constant("root", (float)Math.Sqrt(2 / Math.PI)))));
                break;
        }

        return nodes;

        // x·(1 + f)/2.
        void Halve(string f) => Add("Mul", Add("Mul", x, Add("Add", f, Constant("one", 1))), Constant("half", 0.5f));

        string Add(string op, params string[] inputs)
        {
            string name = model.UniqueName($"{node.Name}.{op.ToLowerInvariant()}{nodes.Count}");
            nodes.Add(new NodeProto(op, name, inputs, [$"{name}.output"]));
            return nodes[^1].Outputs[0];
        }

        string Constant(string name, float value) => AddScalar(model, node, name, value);
    }

    /// <summary>The clip of a uint8 result.</summary>
    public static IEnumerable<NodeProto> QuantizedNodes(OnnxModel model, NodeProto node, string x)
    {
        PackedActivation activation = PackedActivation.Of(node);
        float scale = model.Constant(node.Input(InputNames.OutputScale), node).ToFloats()[0];
        byte zeroPoint = model.Constant(node.Input(InputNames.OutputZeroPoint), node).Read<byte>()[0];
        byte least = LayerQuantization.Quantize(activation.Least, scale, zeroPoint), greatest = LayerQuantization.Quantize(
            activation.Greatest, scale, zeroPoint);
        if (least > 0)
        {
            yield return new NodeProto(
                "Max", $"{node.Name}.least", [x, AddScalar(model, node, "least", least)], [$"{node.Name}.least.output"]);
            x = $"{node.Name}.least.output";
        }

        if (greatest < 255)
            yield return new NodeProto(
                "Min", $"{node.Name}.greatest", [x, AddScalar(model, node, "greatest", greatest)], [$"{node.Name}.greatest.output"]);
    }

    private static string AddScalar<T>(OnnxModel model, NodeProto node, string name, T value)
        where T : unmanaged =>
        model.AddInitializer(TensorData.Scalar(model.UniqueName($"{node.Name}.{name}"), value)).Name;
}
