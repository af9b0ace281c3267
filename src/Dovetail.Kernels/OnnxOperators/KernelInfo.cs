using Dovetail.Core.Packing;
using Dovetail.Core.Patterns;
using Dovetail.Kernels.OnnxOperators.Interop;

namespace Dovetail.Kernels.OnnxOperators;

/// <summary>Attributes and constant inputs of the node that a kernel is created for, validated.</summary>
internal readonly unsafe struct KernelInfo(OrtApi api, nint info, CustomOperator definition)
{
    public OrtApi Api => api;

    public string NodeDescription => $"{definition.Name} '{api.NodeName(info)}'";

    public bool HasInput(string name)
    {
        int index = definition.IndexOf(name);
        return index < api.InputCount(info) && api.InputName(info, index).Length > 0;
    }

    public string Text(string attribute) => api.AttributeString(info, attribute)
        ?? throw new OperatorException($"The attribute '{attribute}' is missing; expected a string.");

    public Activation Activation => api.AttributeString(info, "activation") switch
    {
        null or "none" => Activation.None,
        "relu" => Activation.Relu,
        "clip" => Activation.Clip(
            api.AttributeFloat(info, "activation_min") ?? float.NegativeInfinity, api.AttributeFloat(info, "activation_max") ?? float.PositiveInfinity),
        "silu" => Activation.Silu,
        "gelu" => Activation.Gelu,
        "gelu_tanh" => Activation.GeluTanh,
        var other => throw new OperatorException($"The attribute 'activation' is '{other}', expected 'none', 'relu', 'clip', 'silu', 'gelu' or 'gelu_tanh'."),
    };

    /// <summary>An integer list, or <paramref name="fallback"/> where the attribute is absent.</summary>
    public int[] Ints(string attribute, int[] fallback, int minimum) => Ints(attribute, fallback, fallback.Length, minimum);

    /// <summary>An integer list that must be there where there is no fallback.</summary>
    public int[] Ints(string attribute, int[]? fallback, int length, int minimum)
    {
        if (api.AttributeInts(info, attribute) is not { } values)
            return fallback ?? throw new OperatorException($"The attribute '{attribute}' is missing; expected {length} integers of {minimum} or more.");
        if (values.Length != length || values.Any(value => value < minimum || value > int.MaxValue))
            throw new OperatorException($"The attribute '{attribute}' is [{string.Join(", ", values)}], expected {length} integers of {minimum} or more.");
        return Array.ConvertAll(values, value => (int)value);
    }

    public int Int(string attribute, int fallback, int minimum)
    {
        long value = api.AttributeInt(info, attribute) ?? fallback;
        return value >= minimum && value <= int.MaxValue
            ? (int)value
            : throw new OperatorException($"The attribute '{attribute}' is {value}, expected an integer of {minimum} or more.");
    }

    /// <summary>The pattern on the declared weight shape.</summary>
    public CellLayout Layout(bool isConvolution)
    {
        ComplementaryPattern pattern = ComplementaryPattern.Parse(Text("pattern"));
        long[] dimensions = api.AttributeInts(info, "weight_shape")
            ?? throw new OperatorException("The attribute 'weight_shape' is missing; expected the shape of the dense weight.");
        int rank = isConvolution ? 4 : 2;
        if (dimensions.Length != rank || dimensions.Any(dimension => dimension is < 1 or > int.MaxValue))
            throw new OperatorException($"The attribute 'weight_shape' is [{string.Join(", ", dimensions)}], expected {rank} positive dimensions: {(isConvolution ? "[M, C/group, kh, kw]" : "[M, K]")}.");
        return new CellLayout(pattern, new WeightShape(Array.ConvertAll(dimensions, dimension => (int)dimension), isConvolution ? Int("group", 1, 1) : 1));
    }

    /// <summary>What a floating-point layer's operands are rounded to.</summary>
    public FloatOperands Operands => api.AttributeString(info, "operands") switch
    {
        null or "fp32" => FloatOperands.Float32,
        "bf16" => FloatOperands.BFloat16,
        var other => throw new OperatorException($"The attribute 'operands' is '{other}', expected 'fp32' or 'bf16'."),
    };

    /// <summary>The packed weights of the inputs <c>values</c> (float, float16 or bfloat16) and <c>owners</c>.</summary>
    public PackedTensor<float> FloatWeights(CellLayout layout) => TypeOf("values") switch
    {
        ElementType.Float16 => PackedCast.ToFloat32(Weights<Half>(layout)),
        ElementType.BFloat16 => PackedCast.ToFloat32(Weights<BFloat16>(layout)),
        _ => Weights<float>(layout),
    };

    /// <summary>The packed weights of the inputs <c>values</c> and <c>owners</c>.</summary>
    public PackedTensor<T> Weights<T>(CellLayout layout)
        where T : unmanaged
    {
        T[] values = Constant<T>("values", layout.ValueRows, layout.ValueColumns);
        int rowBytes = OwnerCodec.RowBytes(layout.OwnerColumns, layout.Pattern.IndexBits);
        byte[] encoded = Constant<byte>("owners", layout.OwnerRows, rowBytes);
        byte[] owners = OwnerCodec.Decode(encoded, layout.OwnerRows, layout.OwnerColumns, layout.Pattern.IndexBits);
        return new PackedTensor<T>(layout, values, owners);
    }

    /// <summary>The single element of a constant input.</summary>
    public T Scalar<T>(string name)
        where T : unmanaged =>
        Read<T>(name, out long[] dimensions) is [T value]
            ? value
            : throw new OperatorException($"The input '{name}' has the shape [{string.Join(", ", dimensions)}], expected a scalar.");

    /// <summary>A constant input with the given shape.</summary>
    public T[] Constant<T>(string name, params int[] shape)
        where T : unmanaged
    {
        T[] values = Read<T>(name, out long[] dimensions);
        return dimensions.SequenceEqual(Array.ConvertAll(shape, dimension => (long)dimension))
            ? values
            : throw new OperatorException($"The input '{name}' has the shape [{string.Join(", ", dimensions)}], expected [{string.Join(", ", shape)}]{Weight()}.");
    }

    private string Weight() => api.AttributeInts(info, "weight_shape") is { } shape ? $" for a weight of [{string.Join(", ", shape)}] in pattern {Text("pattern")}" : "";

    /// <summary>The shape of a constant input.</summary>
    public long[] Dimensions(string name)
    {
        Read<float>(name, out long[] dimensions);
        return dimensions;
    }

    private ElementType TypeOf(string name) => api.TensorShape(ConstantValue(name)).Type;

    private nint ConstantValue(string name)
    {
        int index = definition.IndexOf(name);
        nint value = index < api.InputCount(info) ? api.ConstantInput(info, index) : 0;
        return value != 0 ? value : throw new OperatorException($"The input '{name}' is not an initializer; expected constants, as a kernel prepares them once.");
    }

    private T[] Read<T>(string name, out long[] dimensions)
        where T : unmanaged
    {
        nint value = ConstantValue(name);
        (dimensions, ElementType type) = api.TensorShape(value);
        ElementType expected = default(T) switch
        {
            float => ElementType.Float,
            Half => ElementType.Float16,
            BFloat16 => ElementType.BFloat16,
            byte => ElementType.UInt8,
            sbyte => ElementType.Int8,
            int => ElementType.Int32,
            _ => throw new ArgumentException($"No input has elements of type {typeof(T).Name}.", nameof(name)),
        };
        if (type != expected)
            throw new OperatorException($"The input '{name}' has elements of type {type}, expected {expected}.");
        long count = 1;
        foreach (long dimension in dimensions)
            count *= dimension;
        return new ReadOnlySpan<T>(api.TensorData(value), checked((int)count)).ToArray();
    }
}
