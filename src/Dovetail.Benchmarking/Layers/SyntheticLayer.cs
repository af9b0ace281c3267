using Dovetail.Core.Operators;
using Dovetail.Core.Packing;
using Dovetail.Core.Patterns;
using Dovetail.Onnx.Model;

namespace Dovetail.Benchmarking.Layers;

/// <summary>
/// A layer of a given shape with random weights, as one-node models: ONNX's own operators on NCHW and the packed one
/// on NHWC compute the same product. Dimensions are fixed, the batch included.
/// </summary>
/// <remarks>
/// int8: activations have the scale 1/64 and the zero point 128, weights a scale an output; outputs are scaled so that
/// few saturate.
/// </remarks>
public sealed class SyntheticLayer
{
    private const long Opset = 17, IrVersion = 8;
    private const float InputScale = 1f / 64;
    private const byte ZeroPoint = 128;

    private readonly LayerShape _shape;
    private readonly int _batch;

    /// <param name="batch">Inputs of one run; a matrix product has batch·N rows.</param>
    /// <param name="seed">Of the weights.</param>
    public SyntheticLayer(LayerShape shape, int batch, int seed)
    {
        ArgumentNullException.ThrowIfNull(shape);
        (_shape, _batch) = (shape, batch);
        var random = new Random(seed);
        FloatWeights = new float[shape.Weights.Count];
        for (int i = 0; i < FloatWeights.Length; i++)
            FloatWeights[i] = (float)(random.NextDouble() * 2 - 1);
        IntegerWeights = Array.ConvertAll(
            FloatWeights, weight => (sbyte)(weight < 0 ? Math.Floor(weight * 127) : Math.Ceiling(weight * 127)));
        WeightScales = new float[shape.Weights.Outputs];
        for (int m = 0; m < WeightScales.Length; m++)
            WeightScales[m] = (float)((0.5 + random.NextDouble()) / 127);
    }

    /// <summary>Matrix order, uniform in [−1, 1).</summary>
    public float[] FloatWeights { get; }

    /// <summary>The same as integers away from zero, −127 … 127.</summary>
    internal sbyte[] IntegerWeights { get; }

    private float[] WeightScales { get; }

    private bool IsConvolution => _shape.Workload.Convolution is not null;

    private string Name => _shape.Workload.Name;

    /// <summary>The weights projected onto a pattern by magnitude, and packed.</summary>
    public PackedTensor Pack(ComplementaryPattern pattern, DType type)
    {
        var layout = new CellLayout(pattern, _shape.Weights);
        bool[] mask = Projection.ByMagnitude(FloatWeights, layout);
        if (type == DType.Int8)
            return Packer.Pack<sbyte>(Masked(IntegerWeights, mask), layout, mask, WeightScales);
        return PackedCast.To(Packer.Pack<float>(Masked(FloatWeights, mask), layout, mask), type);
    }

    /// <summary>PackedConv, PackedGemm or their integer forms.</summary>
    public OnnxModel Packed(PackedTensor weights)
    {
        CellLayout layout = weights.Layout;
        bool quantized = weights.DType == DType.Int8;
        OperatorSchema schema = OperatorSet.Packed(IsConvolution, quantized);
        NodeProto node = DovetailNodes.New(schema, Name, schema.Inputs.Where(input => !input.IsOptional).Select(input => input.Name), ["Y"])
            .With(OperatorAttributes.Pattern, layout.Pattern.ToString())
            .With(OperatorAttributes.WeightShape, layout.Shape.Dimensions);
        if (weights.DType == DType.BFloat16)
            node.With(OperatorAttributes.Operands, OperandNames.BFloat16);
        SetWindow(node);
        OnnxModel model = Model(node, _shape.ChannelsLastInput(_batch), quantized ? OnnxType.UInt8 : OnnxType.Float);
        byte[] owners = weights.EncodeOwners();
        long[] valueDims = [layout.ValueRows, layout.ValueColumns];
        model.AddInitializer(weights switch
        {
            PackedTensor<float> floats => TensorData.Create<float>(InputNames.Values, valueDims, floats.Values),
            PackedTensor<Half> halves => TensorData.Create<Half>(InputNames.Values, valueDims, halves.Values),
            PackedTensor<BFloat16> shorts => TensorData.Create<BFloat16>(InputNames.Values, valueDims, shorts.Values),
            _ => TensorData.Create<sbyte>(InputNames.Values, valueDims, ((PackedTensor<sbyte>)weights).Values),
        });
        model.AddInitializer(TensorData.Create<byte>(InputNames.Owners, [layout.OwnerRows, owners.Length / layout.OwnerRows], owners));
        if (quantized)
            AddScales(model, layout.Pattern.Density);
        return model;
    }

    /// <summary>Conv on NCHW, or Gemm. <paramref name="weights"/> in matrix order.</summary>
    public OnnxModel Float(float[] weights)
    {
        NodeProto node = SetWindow(new NodeProto(IsConvolution ? "Conv" : "Gemm", Name, [InputNames.X, "W"], ["Y"]));
        if (!IsConvolution)
            node.With("transB", 1);
        return WithWeights(Model(node, _shape.ChannelsFirstInput(_batch), OnnxType.Float), weights);
    }

    /// <summary>MatMul; <paramref name="weights"/> in matrix order.</summary>
    internal OnnxModel FloatMatMul(float[] weights) =>
        WithTransposedWeights(
            Model(new NodeProto("MatMul", Name, [InputNames.X, "W"], ["Y"]), _shape.ChannelsFirstInput(_batch), OnnxType.Float), weights);

    /// <summary>QLinearConv on NCHW, or QLinearMatMul: uint8 in, uint8 out.</summary>
    /// <param name="weights">Matrix order.</param>
    /// <param name="density">Share of them that is not zero, for the scale of the outputs.</param>
    public OnnxModel Quantized(sbyte[] weights, double density)
    {
        string[] inputs =
        [
            InputNames.X, InputNames.InputScale, InputNames.InputZeroPoint, "W", InputNames.WeightScales, "w_zero", InputNames.OutputScale,
                InputNames.OutputZeroPoint,
        ];
        NodeProto node = SetWindow(new NodeProto(IsConvolution ? "QLinearConv" : "QLinearMatMul", Name, inputs, ["Y"]));
        OnnxModel model = Model(node, _shape.ChannelsFirstInput(_batch), OnnxType.UInt8);
        AddScales(model, density);
        model.AddInitializer(TensorData.Create<sbyte>("w_zero", [_shape.Weights.Outputs], new sbyte[_shape.Weights.Outputs]));
        return IsConvolution ? WithWeights(model, weights) : WithTransposedWeights(model, weights);
    }

    /// <summary>MatMulInteger: uint8 in, int32 out, without the scaling; less work than the other integer forms.</summary>
    public OnnxModel MatMulInteger(sbyte[] weights)
    {
        OnnxModel model = Model(
            new NodeProto("MatMulInteger", Name, [InputNames.X, "W", InputNames.InputZeroPoint], ["Y"]), _shape.ChannelsFirstInput(_batch),
            OnnxType.UInt8, OnnxType.Int32);
        model.AddInitializer(TensorData.Scalar(InputNames.InputZeroPoint, ZeroPoint));
        return WithTransposedWeights(model, weights);
    }

    /// <summary>The dense weights of packed ones, in matrix order, as the type that dense operators take.</summary>
    internal OnnxModel DenseOf(PackedTensor weights) => weights is PackedTensor<sbyte> integers
        ? Quantized(Packer.Unpack(integers), weights.Pattern.Density)
        : Float(Packer.Unpack(PackedCast.ToFloat32(weights)));

    private void AddScales(OnnxModel model, double density)
    {
        // Products of two uniform bytes have a deviation of about 74², and 48 steps of the result are one deviation.
        float outputScale = (float)(InputScale / 127 * 74 * 74 * Math.Sqrt(_shape.Weights.Inputs * density) / 48);
        model.AddInitializer(TensorData.Scalar(InputNames.InputScale, InputScale));
        model.AddInitializer(TensorData.Scalar(InputNames.InputZeroPoint, ZeroPoint));
        model.AddInitializer(TensorData.Create<float>(InputNames.WeightScales, [WeightScales.Length], WeightScales));
        model.AddInitializer(TensorData.Scalar(InputNames.OutputScale, outputScale));
        model.AddInitializer(TensorData.Scalar(InputNames.OutputZeroPoint, ZeroPoint));
    }

    private OnnxModel WithWeights<T>(OnnxModel model, T[] matrix)
        where T : unmanaged
    {
        var tensor = new T[matrix.Length];
        _shape.Weights.ToTensorOrder<T>(matrix, tensor);
        model.AddInitializer(TensorData.Create<T>("W", [.. _shape.Weights.Dimensions.Select(d => (long)d)], tensor));
        return model;
    }

    private OnnxModel WithTransposedWeights<T>(OnnxModel model, T[] matrix)
        where T : unmanaged
    {
        int outputs = _shape.Weights.Outputs, inputs = _shape.Weights.Inputs;
        var tensor = new T[matrix.Length];
        for (int m = 0; m < outputs; m++)
            for (int k = 0; k < inputs; k++)
                tensor[k * outputs + m] = matrix[m * inputs + k];
        model.AddInitializer(TensorData.Create<T>("W", [inputs, outputs], tensor));
        return model;
    }

    private NodeProto SetWindow(NodeProto node) => _shape.Workload.Convolution is not { } g ? node : node
        .With(OperatorAttributes.Strides, [g.StrideHeight, g.StrideWidth])
        .With(OperatorAttributes.Pads, [g.PadTop, g.PadLeft, g.PadBottom, g.PadRight])
        .With(OperatorAttributes.Dilations, [g.DilationHeight, g.DilationWidth])
        .With(OperatorAttributes.Group, g.Groups);

    private static OnnxModel Model(NodeProto node, long[] input, OnnxType type, OnnxType? outputType = null)
    {
        var proto = new ModelProto
        {
            IrVersion = IrVersion,
            Graph = new GraphProto { Name = node.Name },
            OpsetImports = {
                new OperatorSetIdProto { Version = Opset },
                new OperatorSetIdProto { Domain = OperatorSet.Domain, Version = OperatorSet.Version } },
        };
        proto.Graph.Inputs.Add(ValueInfoProto.Tensor(InputNames.X, type, [.. input.Select(d => (Dim)d)]));
        proto.Graph.Outputs.Add(ValueInfoProto.Tensor("Y", outputType ?? type, [.. input.Select(_ => Dim.Unknown)]));
        proto.Graph.Nodes.Add(node);
        return new OnnxModel(proto);
    }

    private static T[] Masked<T>(T[] values, bool[] mask)
        where T : unmanaged
    {
        var kept = new T[values.Length];
        for (int i = 0; i < values.Length; i++)
            kept[i] = mask[i] ? values[i] : default;
        return kept;
    }
}
