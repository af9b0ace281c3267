using Dovetail.Core.Packing;
using Dovetail.Core.Patterns;
using Dovetail.Core.Workloads;
using Dovetail.Onnx.Model;

namespace Dovetail.Runtime.OnnxRuntime.Benchmarking;

/// <summary>
/// A layer of a given shape with random weights that satisfy a pattern, as the two models that a comparison takes:
/// ONNX's Conv on NCHW or Gemm, and the packed operator on NHWC. Both compute the same product.
/// </summary>
public static class SyntheticLayer
{
    private const long Opset = 17, IrVersion = 8;

    /// <param name="workload">A convolution or a matrix product, fp32.</param>
    /// <param name="pattern">What the weights satisfy.</param>
    /// <param name="seed">Of the weights.</param>
    public static BenchmarkLayer Create(LayerWorkload workload, ComplementaryPattern pattern, int seed)
    {
        ArgumentNullException.ThrowIfNull(workload);
        ArgumentNullException.ThrowIfNull(pattern);
        ConvolutionGeometry? g = workload.Convolution;
        WeightShape shape = g is null
            ? WeightShape.Matrix(workload.M, workload.K)
            : new WeightShape([workload.M, workload.K / g.Taps, g.KernelHeight, g.KernelWidth], g.Groups);
        var layout = new CellLayout(pattern, shape);
        var random = new Random(seed);
        var weights = new float[shape.Count];
        var scores = new float[shape.Count];
        for (int i = 0; i < weights.Length; i++)
        {
            weights[i] = (float)(random.NextDouble() * 2 - 1);
            scores[i] = MathF.Abs(weights[i]);
        }

        bool[] mask = Projection.Project(scores, layout);
        for (int i = 0; i < weights.Length; i++)
            weights[i] = mask[i] ? weights[i] : 0;
        return new BenchmarkLayer(
            workload, pattern, DType.Float32,
            Dense(workload, shape, weights).ToBytes(), Packed(workload, Packer.Pack<float>(weights, layout, mask)).ToBytes());
    }

    private static OnnxModel Dense(LayerWorkload workload, WeightShape shape, float[] weights)
    {
        var tensor = new float[weights.Length];
        shape.ToTensorOrder<float>(weights, tensor);
        NodeProto node = workload.Convolution is { } g
            ? SetWindow(new NodeProto("Conv", workload.Name, ["X", "W"], ["Y"]), g)
            : new NodeProto("Gemm", workload.Name, ["X", "W"], ["Y"]).With("transB", 1);
        Dim[] input = workload.Convolution is { } c ? ["N", shape.Channels * shape.Groups, c.InputHeight, c.InputWidth] : ["N", workload.K];
        Dim[] output = workload.Convolution is { } o ? ["N", workload.M, o.OutputHeight, o.OutputWidth] : ["N", workload.M];
        OnnxModel model = Model(node, input, output);
        model.AddInitializer(TensorData.Create<float>("W", [.. shape.Dimensions.Select(d => (long)d)], tensor));
        return model;
    }

    private static OnnxModel Packed(LayerWorkload workload, PackedTensor<float> weights)
    {
        CellLayout layout = weights.Layout;
        WeightShape shape = layout.Shape;
        var node = new NodeProto(workload.Convolution is null ? "PackedGemm" : "PackedConv", workload.Name, ["X", "values", "owners"], ["Y"], OnnxModel.DovetailDomain)
            .With("pattern", layout.Pattern.ToString())
            .With("weight_shape", shape.Dimensions.AsEnumerable());
        if (workload.Convolution is { } g)
            SetWindow(node, g);
        Dim[] input = workload.Convolution is { } c ? ["N", c.InputHeight, c.InputWidth, shape.Channels * shape.Groups] : ["N", workload.K];
        Dim[] output = workload.Convolution is { } o ? ["N", o.OutputHeight, o.OutputWidth, workload.M] : ["N", workload.M];
        OnnxModel model = Model(node, input, output);
        byte[] owners = weights.EncodeOwners();
        model.AddInitializer(TensorData.Create<float>("values", [layout.ValueRows, layout.ValueColumns], weights.Values));
        model.AddInitializer(TensorData.Create<byte>("owners", [layout.OwnerRows, owners.Length / layout.OwnerRows], owners));
        return model;
    }

    private static NodeProto SetWindow(NodeProto node, ConvolutionGeometry g) => node
        .With("strides", [g.StrideHeight, g.StrideWidth])
        .With("pads", [g.PadTop, g.PadLeft, g.PadBottom, g.PadRight])
        .With("dilations", [g.DilationHeight, g.DilationWidth])
        .With("group", g.Groups);

    private static OnnxModel Model(NodeProto node, Dim[] input, Dim[] output)
    {
        var proto = new ModelProto
        {
            IrVersion = IrVersion,
            Graph = new GraphProto { Name = node.Name },
            OpsetImports = { new OperatorSetIdProto { Version = Opset }, new OperatorSetIdProto { Domain = OnnxModel.DovetailDomain, Version = 1 } },
        };
        proto.Graph.Inputs.Add(ValueInfoProto.Tensor("X", OnnxType.Float, input));
        proto.Graph.Outputs.Add(ValueInfoProto.Tensor("Y", OnnxType.Float, output));
        proto.Graph.Nodes.Add(node);
        return new OnnxModel(proto);
    }
}
