using System.ComponentModel;
using ProtoBuf;

namespace Dovetail.Onnx.Model;

/// <summary>ONNX's ValueInfoProto: the name, element type and shape of a tensor of the graph.</summary>
[ProtoContract(Name = "ValueInfoProto")]
public sealed class ValueInfoProto : Extensible
{
    [ProtoMember(1, Name = "name"), DefaultValue("")]
    public string Name { get; set; } = "";

    [ProtoMember(2, Name = "type")]
    public TypeProto? Type { get; set; }

    [ProtoMember(3, Name = "doc_string"), DefaultValue("")]
    public string DocString { get; set; } = "";

    /// <summary>A tensor; a dimension is a number or a symbol such as "N".</summary>
    public static ValueInfoProto Tensor(string name, OnnxType type, params ReadOnlySpan<Dim> shape)
    {
        var shapeProto = new TensorShapeProto();
        foreach (Dim dim in shape)
            shapeProto.Dims.Add(new DimensionProto { Value = dim.Value, Symbol = dim.Symbol });
        return new ValueInfoProto
        {
            Name = name,
            Type = new TypeProto { Tensor = new TensorTypeProto { ElementType = type, Shape = shapeProto } },
        };
    }
}

/// <summary>ONNX's TypeProto; other than tensor types survive a round trip as extension data.</summary>
[ProtoContract(Name = "TypeProto")]
public sealed class TypeProto : Extensible
{
    [ProtoMember(1, Name = "tensor_type")]
    public TensorTypeProto? Tensor { get; set; }

    [ProtoMember(6, Name = "denotation"), DefaultValue("")]
    public string Denotation { get; set; } = "";
}

/// <summary>ONNX's TypeProto.Tensor; no shape means that even the rank is unknown.</summary>
[ProtoContract(Name = "Tensor")]
public sealed class TensorTypeProto : Extensible
{
    [ProtoMember(1, Name = "elem_type")]
    public OnnxType ElementType { get; set; }

    [ProtoMember(2, Name = "shape")]
    public TensorShapeProto? Shape { get; set; }
}

/// <summary>ONNX's TensorShapeProto.</summary>
[ProtoContract(Name = "TensorShapeProto")]
public sealed class TensorShapeProto : Extensible
{
    [ProtoMember(1, Name = "dim")]
    public List<DimensionProto> Dims { get; } = [];
}

/// <summary>ONNX's TensorShapeProto.Dimension: a value, a symbol, or neither (unknown).</summary>
[ProtoContract(Name = "Dimension")]
public sealed class DimensionProto : Extensible
{
    [ProtoMember(1, Name = "dim_value")]
    public long? Value { get; set; }

    [ProtoMember(2, Name = "dim_param")]
    public string? Symbol { get; set; }

    [ProtoMember(3, Name = "denotation"), DefaultValue("")]
    public string Denotation { get; set; } = "";
}
