using Dovetail.Core.Operators;
using Dovetail.Core.Packing;
using Dovetail.Core.Patterns;
using Dovetail.Core.Workloads;
using Dovetail.Kernels;
using Dovetail.Onnx.Model;
using Dovetail.Tests.Kernels;

namespace Dovetail.Tests.Models;

/// <summary>One-layer models, packed and dense, both over NHWC inputs with free batch, height and width.</summary>
internal static class TestModels
{
    public static OnnxModel PackedConv(LayerCase layer, PackedTensor<float> weights, float[]? bias)
    {
        OnnxModel model = Empty(OnnxType.Float, ["n", "h", "w", layer.Channels * layer.Geometry.Groups], OnnxType.Float);
        if (layer.Residual)
            model.Graph.Inputs.Add(ValueInfoProto.Tensor("R", OnnxType.Float, "n", "oh", "ow", layer.Outputs));
        AddWeights<float>(model, weights);
        if (bias is not null)
            model.AddInitializer(TensorData.Create<float>("B", [bias.Length], bias));
        string[] inputs = ["X", "values", "owners", bias is null ? "" : "B", layer.Residual ? "R" : ""];
        model.Nodes.Add(Convolution("PackedConv", layer, TrimEnd(inputs)));
        return model;
    }

    public static OnnxModel PackedGemm(LayerCase layer, PackedTensor<float> weights, float[]? bias)
    {
        OnnxModel model = Empty(OnnxType.Float, ["n", layer.Channels], OnnxType.Float);
        AddWeights<float>(model, weights);
        if (bias is not null)
            model.AddInitializer(TensorData.Create<float>("B", [bias.Length], bias));
        model.Nodes.Add(Gemm("PackedGemm", layer, TrimEnd(["X", "values", "owners", bias is null ? "" : "B"])));
        return model;
    }

    public static OnnxModel PackedQLinear(
        LayerCase layer, PackedTensor<sbyte> weights, int[]? bias,
        float inputScale, byte inputZeroPoint, float[] weightScales, float outputScale, byte outputZeroPoint)
    {
        bool isConvolution = layer.Geometry.Taps > 1 || layer.Geometry.InputHeight > 1;
        OnnxModel model = isConvolution
            ? Empty(OnnxType.UInt8, ["n", "h", "w", layer.Channels * layer.Geometry.Groups], OnnxType.UInt8)
            : Empty(OnnxType.UInt8, ["n", layer.Channels], OnnxType.UInt8);
        AddWeights<sbyte>(model, weights);
        AddScales(model, inputScale, inputZeroPoint, weightScales, outputScale, outputZeroPoint);
        if (bias is not null)
            model.AddInitializer(TensorData.Create<int>("B", [bias.Length], bias));
        string[] inputs = TrimEnd(
            ["X", "x_scale", "x_zero_point", "values", "owners", "w_scale", "y_scale", "y_zero_point", bias is null ? "" : "B"]);
        model.Nodes.Add(isConvolution ? Convolution("PackedQLinearConv", layer, inputs) : Gemm("PackedQLinearGemm", layer, inputs));
        return model;
    }

    /// <summary>ONNX's Conv between transposes, then bias, residual and activation: what plain ONNX Runtime computes.</summary>
    public static OnnxModel DenseConv(LayerCase layer, float[] matrixWeights, float[]? bias)
    {
        OnnxModel model = Empty(OnnxType.Float, ["n", "h", "w", layer.Channels * layer.Geometry.Groups], OnnxType.Float);
        AddTensorOrder<float>(model, layer, matrixWeights);
        var convolution = new NodeProto("Conv", "conv", ["x", "W"], ["c"]);
        if (bias is not null)
        {
            model.AddInitializer(TensorData.Create<float>("B", [bias.Length], bias));
            convolution.Inputs.Add("B");
        }

        SetWindow(convolution, layer.Geometry);
        model.Nodes.Add(new NodeProto("Transpose", "in", ["X"], ["x"]).With("perm", [0, 3, 1, 2]));
        model.Nodes.Add(convolution);
        model.Nodes.Add(new NodeProto("Transpose", "out", ["c"], ["d"]).With("perm", [0, 2, 3, 1]));
        string last = "d";
        if (layer.Residual)
        {
            model.Graph.Inputs.Add(ValueInfoProto.Tensor("R", OnnxType.Float, "n", "oh", "ow", layer.Outputs));
            model.Nodes.Add(new NodeProto("Add", "add", [last, "R"], ["e"]));
            last = "e";
        }

        AddActivation(model, layer.Activation, last);
        return model;
    }

    /// <summary>The activation in ONNX's operators, to the output Y.</summary>
    private static void AddActivation(OnnxModel model, Activation activation, string x)
    {
        switch (activation.Kind)
        {
            case ActivationKind.None:
                model.Nodes.Add(new NodeProto("Identity", "last", [x], ["Y"]));
                break;
            case ActivationKind.Relu:
                model.Nodes.Add(new NodeProto("Relu", "last", [x], ["Y"]));
                break;
            case ActivationKind.Clip:
                model.AddInitializer(TensorData.Scalar("least", activation.Lowest));
                model.AddInitializer(TensorData.Scalar("greatest", activation.Highest));
                model.Nodes.Add(new NodeProto("Clip", "last", [x, "least", "greatest"], ["Y"]));
                break;
            case ActivationKind.Silu:
                model.Nodes.Add(new NodeProto("Sigmoid", "sigmoid", [x], ["s"]));
                model.Nodes.Add(new NodeProto("Mul", "last", [x, "s"], ["Y"]));
                break;
            default:
                var gelu = new NodeProto("Gelu", "last", [x], ["Y"]);
                model.Nodes.Add(activation.Kind == ActivationKind.GeluTanh ? gelu.With("approximate", "tanh") : gelu);
                break;
        }
    }

    /// <summary>ONNX's QLinearConv between transposes.</summary>
    public static OnnxModel DenseQLinearConv(
        LayerCase layer, sbyte[] matrixWeights, int[]? bias,
        float inputScale, byte inputZeroPoint, float[] weightScales, float outputScale, byte outputZeroPoint)
    {
        OnnxModel model = Empty(OnnxType.UInt8, ["n", "h", "w", layer.Channels * layer.Geometry.Groups], OnnxType.UInt8);
        AddTensorOrder<sbyte>(model, layer, matrixWeights);
        AddScales(model, inputScale, inputZeroPoint, weightScales, outputScale, outputZeroPoint);
        model.AddInitializer(TensorData.Create<sbyte>("w_zero_point", [layer.Outputs], new sbyte[layer.Outputs]));
        var convolution = new NodeProto(
            "QLinearConv", "conv", ["x", "x_scale", "x_zero_point", "W", "w_scale", "w_zero_point", "y_scale", "y_zero_point"], ["c"]);
        if (bias is not null)
        {
            model.AddInitializer(TensorData.Create<int>("B", [bias.Length], bias));
            convolution.Inputs.Add("B");
        }

        SetWindow(convolution, layer.Geometry);
        model.Nodes.Add(new NodeProto("Transpose", "in", ["X"], ["x"]).With("perm", [0, 3, 1, 2]));
        model.Nodes.Add(convolution);
        model.Nodes.Add(new NodeProto("Transpose", "out", ["c"], ["Y"]).With("perm", [0, 2, 3, 1]));
        return model;
    }

    private static OnnxModel Empty(OnnxType inputType, Dim[] input, OnnxType outputType)
    {
        var proto = new ModelProto
        {
            IrVersion = 9,
            Graph = new GraphProto { Name = "test" },
            OpsetImports = { new OperatorSetIdProto { Version = 20 }, new OperatorSetIdProto { Domain = OperatorSet.Domain, Version = 1 } },
        };
        proto.Graph.Inputs.Add(ValueInfoProto.Tensor("X", inputType, input));
        var output = ValueInfoProto.Tensor("Y", outputType);
        output.Type!.Tensor!.Shape = null;
        proto.Graph.Outputs.Add(output);
        return new OnnxModel(proto);
    }

    private static void AddWeights<T>(OnnxModel model, PackedTensor<T> weights)
        where T : unmanaged
    {
        CellLayout layout = weights.Layout;
        byte[] owners = weights.EncodeOwners();
        model.AddInitializer(TensorData.Create<T>("values", [layout.ValueRows, layout.ValueColumns], weights.Values));
        model.AddInitializer(TensorData.Create<byte>("owners", [layout.OwnerRows, owners.Length / layout.OwnerRows], owners));
    }

    private static void AddScales(
        OnnxModel model, float inputScale, byte inputZeroPoint, float[] weightScales, float outputScale, byte outputZeroPoint)
    {
        model.AddInitializer(TensorData.Scalar("x_scale", inputScale));
        model.AddInitializer(TensorData.Scalar("x_zero_point", inputZeroPoint));
        model.AddInitializer(TensorData.Create<float>("w_scale", [weightScales.Length], weightScales));
        model.AddInitializer(TensorData.Scalar("y_scale", outputScale));
        model.AddInitializer(TensorData.Scalar("y_zero_point", outputZeroPoint));
    }

    private static void AddTensorOrder<T>(OnnxModel model, LayerCase layer, T[] matrixWeights)
        where T : unmanaged
    {
        WeightShape shape = layer.Layout.Shape;
        var tensor = new T[matrixWeights.Length];
        shape.ToTensorOrder<T>(matrixWeights, tensor);
        model.AddInitializer(TensorData.Create<T>("W", [.. shape.Dimensions.Select(d => (long)d)], tensor));
    }

    private static NodeProto Convolution(string op, LayerCase layer, string[] inputs)
    {
        ConvolutionGeometry g = layer.Geometry;
        NodeProto node = Common(new NodeProto(op, "conv", inputs, ["Y"], OperatorSet.Domain), layer)
            .With("weight_shape", [layer.Outputs, layer.Channels, g.KernelHeight, g.KernelWidth]);
        SetWindow(node, g);
        return node;
    }

    private static NodeProto Gemm(string op, LayerCase layer, string[] inputs) =>
        Common(new NodeProto(op, "gemm", inputs, ["Y"], OperatorSet.Domain), layer).With("weight_shape", [layer.Outputs, layer.Channels]);

    private static NodeProto Common(NodeProto node, LayerCase layer) => node
        .With("pattern", layer.Pattern)
        .With("activation", layer.Kind switch
        {
            ActivationKind.GeluTanh => "gelu_tanh",
            var kind => kind.ToString().ToLowerInvariant(),
        })
        .With("activation_min", layer.Activation.Lowest)
        .With("activation_max", layer.Activation.Highest);

    private static void SetWindow(NodeProto node, ConvolutionGeometry g) => node
        .With("strides", [g.StrideHeight, g.StrideWidth])
        .With("pads", [g.PadTop, g.PadLeft, g.PadBottom, g.PadRight])
        .With("dilations", [g.DilationHeight, g.DilationWidth])
        .With("group", g.Groups);

    private static string[] TrimEnd(string[] inputs) => inputs[..(Array.FindLastIndex(inputs, name => name.Length > 0) + 1)];
}
