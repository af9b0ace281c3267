using Dovetail.Core.Operators;
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
        return definition.Schema.FindInput(name) is { } index && index < api.InputCount(info) && api.InputName(info, index).Length > 0;
    }

    /// <summary>An attribute or its default.</summary>
    /// <exception cref="OperatorException">It is of another type, is not allowed, or must be there and is not.</exception>
    public string Get(StringAttribute attribute)
    {
        string value = api.AttributeString(info, attribute.Name) ?? attribute.Default ?? throw Missing(attribute);
        return Checked(attribute, value, attribute.Fault(value));
    }

    /// <inheritdoc cref="Get(StringAttribute)"/>
    public float Get(FloatAttribute attribute) => api.AttributeFloat(info, attribute.Name) ?? attribute.Default;

    /// <inheritdoc cref="Get(StringAttribute)"/>
    public int Get(IntAttribute attribute)
    {
        long value = api.AttributeInt(info, attribute.Name) ?? attribute.Default;
        return (int)Checked(attribute, value, attribute.Fault(value));
    }

    /// <inheritdoc cref="Get(StringAttribute)"/>
    public int[] Get(IntsAttribute attribute)
    {
        if (api.AttributeInts(info, attribute.Name) is not { } values)
            return attribute.Default.IsEmpty ? throw Missing(attribute) : [.. attribute.Default];
        return Array.ConvertAll(Checked(attribute, values, attribute.Fault(values)), value => (int)value);
    }

    public Activation Activation => Get(definition.Schema.Activation!) switch
    {
        ActivationNames.None => Activation.None,
        ActivationNames.Relu => Activation.Relu,
        ActivationNames.Clip => Activation.Clip(Get(OperatorAttributes.ActivationMin), Get(OperatorAttributes.ActivationMax)),
        ActivationNames.Silu => Activation.Silu,
        ActivationNames.Gelu => Activation.Gelu,
        _ => Activation.GeluTanh,
    };

    /// <summary>The pattern on the declared weight shape.</summary>
    public CellLayout Layout(bool isConvolution)
    {
        ComplementaryPattern pattern = ComplementaryPattern.Parse(Get(OperatorAttributes.Pattern));
        int[] dimensions = Get(OperatorAttributes.WeightShape);
        int rank = isConvolution ? 4 : 2;
        if (dimensions.Length != rank)
            throw new OperatorException($"The attribute '{OperatorAttributes.WeightShape.Name}' is [{string.Join(", ", dimensions)}], "
                + $"expected {rank} positive dimensions: {(isConvolution ? "[M, C/group, kh, kw]" : "[M, K]")}.");
        return new CellLayout(pattern, new WeightShape(dimensions, isConvolution ? Get(OperatorAttributes.Group) : 1));
    }

    /// <summary>What a floating-point layer's operands are rounded to.</summary>
    public FloatOperands Operands =>
        Get(OperatorAttributes.Operands) == OperandNames.BFloat16 ? FloatOperands.BFloat16 : FloatOperands.Float32;

    /// <summary>The packed weights of the inputs <c>values</c> (float, float16 or bfloat16) and <c>owners</c>.</summary>
    public PackedTensor<float> FloatWeights(CellLayout layout) => TypeOf(InputNames.Values) switch
    {
        ElementType.Float16 => PackedCast.ToFloat32(Weights<Half>(layout)),
        ElementType.BFloat16 => PackedCast.ToFloat32(Weights<BFloat16>(layout)),
        _ => Weights<float>(layout),
    };

    /// <summary>The packed weights of the inputs <c>values</c> and <c>owners</c>.</summary>
    public PackedTensor<T> Weights<T>(CellLayout layout)
        where T : unmanaged
    {
        T[] values = Constant<T>(InputNames.Values, layout.ValueRows, layout.ValueColumns);
        int rowBytes = OwnerCodec.RowBytes(layout.OwnerColumns, layout.Pattern.IndexBits);
        byte[] encoded = Constant<byte>(InputNames.Owners, layout.OwnerRows, rowBytes);
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
            : throw new OperatorException($"The input '{name}' has the shape [{string.Join(", ", dimensions)}], expected "
                + $"[{string.Join(", ", shape)}]{Weight()}.");
    }

    private string Weight() => definition.Schema.IsPacked
        ? $" for a weight of [{string.Join(", ", Get(OperatorAttributes.WeightShape))}] in pattern {Get(OperatorAttributes.Pattern)}"
        : "";

    private static OperatorException Missing(OperatorAttribute attribute) =>
        new($"The attribute '{attribute.Name}' is missing; expected {attribute.TypeText}.");

    private static T Checked<T>(OperatorAttribute attribute, T value, string? fault) =>
        fault is null ? value : throw new OperatorException($"The attribute '{attribute.Name}' {fault}.");

    /// <summary>The shape of a constant input.</summary>
    public long[] Dimensions(string name)
    {
        Read<float>(name, out long[] dimensions);
        return dimensions;
    }

    private ElementType TypeOf(string name) => api.TensorShape(ConstantValue(name)).Type;

    private nint ConstantValue(string name)
    {
        int index = definition.Schema.InputIndex(name);
        nint value = index < api.InputCount(info) ? api.ConstantInput(info, index) : 0;
        return value != 0 ? value : throw new OperatorException(
            $"The input '{name}' is not an initializer; expected constants, as a kernel prepares them once.");
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
