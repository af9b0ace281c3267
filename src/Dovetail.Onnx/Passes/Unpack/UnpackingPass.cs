using Dovetail.Core.Operators;
using Dovetail.Core.Packing;
using Dovetail.Core.Patterns;
using Dovetail.Onnx.Layers;
using Dovetail.Onnx.Model;
using Dovetail.Onnx.Passes.Layout;

namespace Dovetail.Onnx.Passes.Unpack;

/// <summary>
/// Packed ONNX back to standard operators with zeros in the weights, so that any tool can read it.
/// A packed convolution becomes Transpose, Conv (or QLinearConv), Add, Relu, Transpose; the NHWC regions stay.
/// </summary>
public static class UnpackingPass
{
    /// <summary>Unpacks a copy of the model.</summary>
    public static OnnxModel Unpack(OnnxModel packedModel)
    {
        ArgumentNullException.ThrowIfNull(packedModel);
        OnnxModel model = packedModel.Clone();
        foreach (OnnxModel graph in model.WithBodies().Reverse().ToList()) // what inner graphs no longer read, outer ones may drop
            UnpackGraph(graph);
        model.Proto.OpsetImports.RemoveAll(o => o.Domain == OperatorSet.Domain);
        model.CheckGraph();
        return model;
    }

    private static void UnpackGraph(OnnxModel model)
    {
        foreach (NodeProto node in model.Nodes.Where(n => UnpackedWindow.DenseOperator(n) is not null).ToList())
        {
            int at = model.Nodes.IndexOf(node);
            model.Nodes.RemoveAt(at);
            model.Nodes.InsertRange(at, UnpackedWindow.Nodes(model, node));
        }

        foreach (NodeProto node in model.Nodes.Where(PackedWeights.IsPacked).ToList())
        {
            int at = model.Nodes.IndexOf(node);
            PackedTensor weights = PackedWeights.Read(model, node);
            model.Nodes.RemoveAt(at);
            model.Nodes.InsertRange(at, PackedWeights.IsQuantized(node) ? Quantized(model, node, weights) : Float(model, node, weights));
        }

        model.RemoveDeadNodes();
    }

    private static List<NodeProto> Float(OnnxModel model, NodeProto node, PackedTensor packed)
    {
        var nodes = new List<NodeProto>();
        string weight = AddWeight(model, node, packed.Shape, Packer.Unpack(PackedCast.ToFloat32(packed)));
        string x = node.Inputs[0];
        if (PackedWeights.IsConvolution(node))
        {
            x = Append(nodes, ChannelsLastRegions.ToChannelsFirst(model, x, model.UniqueName($"{node.Name}.x")));
            x = Append(nodes, Convolution(
                "Conv", model, node, node.HasInput(InputNames.Bias) ? [x, weight, node.Input(InputNames.Bias)] : [x, weight]));
            x = Append(nodes, ChannelsLastRegions.ToChannelsLast(model, x));
        }
        else
        {
            x = Append(nodes, New(model, "MatMul", node.Name, x, weight));
            if (node.HasInput(InputNames.Bias))
                x = Append(nodes, New(model, "Add", $"{node.Name}.bias_add", x, node.Input(InputNames.Bias)));
        }

        if (node.HasInput(InputNames.Residual))
            x = Append(nodes, New(model, "Add", $"{node.Name}.residual", x, node.Input(InputNames.Residual)));
        foreach (NodeProto part in UnpackedActivation.Nodes(model, node, x))
            nodes.Add(part);
        nodes[^1].Outputs[0] = node.Outputs[0];
        return nodes;
    }

    private static List<NodeProto> Quantized(OnnxModel model, NodeProto node, PackedTensor packed)
    {
        var nodes = new List<NodeProto>();
        string weight = AddWeight(model, node, packed.Shape, Packer.Unpack((PackedTensor<sbyte>)packed));
        string x = node.Inputs[0], inputZero = node.Input(InputNames.InputZeroPoint), zero = node.Input(InputNames.OutputZeroPoint);
        if (PackedWeights.IsConvolution(node))
        {
            string zeros = model.UniqueName($"{node.Name}.weight_zero_point");
            model.AddInitializer(TensorData.Create<sbyte>(zeros, [packed.Shape.Outputs], new sbyte[packed.Shape.Outputs]));
            x = Append(nodes, ChannelsLastRegions.ToChannelsFirst(model, x, model.UniqueName($"{node.Name}.x")));
            string[] inputs = [x, node.Input(InputNames.InputScale), inputZero, weight, node.Input(InputNames.WeightScales), zeros,
                node.Input(InputNames.OutputScale), zero];
            x = Append(nodes, Convolution(
                "QLinearConv", model, node, node.HasInput(InputNames.Bias) ? [.. inputs, node.Input(InputNames.Bias)] : inputs));
            x = Append(nodes, ChannelsLastRegions.ToChannelsLast(model, x));
        }
        else
        {
            // int8 × uint8 in int32 and its scaling stand as MatMulInteger and float operators: exact in every runtime.
            x = Append(nodes, New(model, "MatMulInteger", node.Name, x, weight, inputZero));
            if (node.HasInput(InputNames.Bias))
                x = Append(nodes, New(model, "Add", $"{node.Name}.bias_add", x, node.Input(InputNames.Bias)));
            x = Append(nodes, New(model, "Cast", $"{node.Name}.float", x).With("to", (long)OnnxType.Float));
            x = Append(nodes, New(model, "Mul", $"{node.Name}.scaled", x, AddFactors(model, node, packed.Scales!)));
            x = Append(nodes, New(model, "QuantizeLinear", $"{node.Name}.quantized", x, One(model), zero));
        }

        foreach (NodeProto part in UnpackedActivation.QuantizedNodes(model, node, x))
            nodes.Add(part);
        nodes[^1].Outputs[0] = node.Outputs[0];
        return nodes;
    }

    private static string AddFactors(OnnxModel model, NodeProto node, float[] weightScales)
    {
        float x = model.Constant(node.Input(InputNames.InputScale), node).ToFloats()[0],
            y = model.Constant(node.Input(InputNames.OutputScale), node).ToFloats()[0];
        string name = model.UniqueName($"{node.Name}.factor");
        model.AddInitializer(TensorData.Create<float>(name, [weightScales.Length], Array.ConvertAll(weightScales, w => x * w / y)));
        return name;
    }

    private static string One(OnnxModel model)
    {
        string name = model.UniqueName("one");
        model.AddInitializer(TensorData.Scalar(name, 1f));
        return name;
    }

    // Convolutions as OIHW; matrices as MatMul's [K, M].
    private static string AddWeight<T>(OnnxModel model, NodeProto node, WeightShape shape, T[] matrix)
        where T : unmanaged
    {
        var tensor = new T[matrix.Length];
        bool convolution = PackedWeights.IsConvolution(node);
        if (convolution)
        {
            shape.ToTensorOrder(matrix, tensor);
        }
        else
        {
            for (int m = 0; m < shape.Outputs; m++)
                for (int k = 0; k < shape.Inputs; k++)
                    tensor[k * shape.Outputs + m] = matrix[m * shape.Inputs + k];
        }

        string name = model.UniqueName($"{node.Name}.weight");
        long[] dims = convolution ? [.. shape.Dimensions.Select(d => (long)d)] : [shape.Inputs, shape.Outputs];
        model.AddInitializer(TensorData.Create<T>(name, dims, tensor));
        return name;
    }

    private static NodeProto Convolution(string op, OnnxModel model, NodeProto node, string[] inputs)
    {
        NodeProto result = New(model, op, node.Name, inputs);
        foreach (IntsAttribute attribute in new[] { OperatorAttributes.Strides, OperatorAttributes.Pads, OperatorAttributes.Dilations })
            result.With(attribute, node.Get(attribute));
        return result.With(OperatorAttributes.Group, node.Get(OperatorAttributes.Group));
    }

    private static NodeProto New(OnnxModel model, string op, string name, params string[] inputs) =>
        new(op, name, inputs, [model.UniqueName($"{name}.output")]);

    private static string Append(List<NodeProto> nodes, NodeProto node)
    {
        nodes.Add(node);
        return node.Outputs[0];
    }
}
