using System.ComponentModel;
using System.Text;
using ProtoBuf;

namespace Dovetail.Onnx.Model;

/// <summary>ONNX's AttributeProto: one named value; <see cref="Type"/> says which field holds it.</summary>
[ProtoContract(Name = "AttributeProto")]
public sealed class AttributeProto : Extensible
{
    [ProtoMember(1, Name = "name"), DefaultValue("")]
    public string Name { get; set; } = "";

    [ProtoMember(2, Name = "f")]
    public float? F { get; set; }

    [ProtoMember(3, Name = "i")]
    public long? I { get; set; }

    /// <summary>UTF-8.</summary>
    [ProtoMember(4, Name = "s")]
    public byte[]? S { get; set; }

    [ProtoMember(5, Name = "t")]
    public TensorProto? T { get; set; }

    [ProtoMember(6, Name = "g")]
    public GraphProto? G { get; set; }

    [ProtoMember(7, Name = "floats", IsPacked = false)]
    public List<float> Floats { get; } = [];

    [ProtoMember(8, Name = "ints", IsPacked = false)]
    public List<long> Ints { get; } = [];

    [ProtoMember(9, Name = "strings")]
    public List<byte[]> Strings { get; } = [];

    [ProtoMember(11, Name = "graphs")]
    public List<GraphProto> Graphs { get; } = [];

    [ProtoMember(13, Name = "doc_string"), DefaultValue("")]
    public string DocString { get; set; } = "";

    [ProtoMember(20, Name = "type")]
    public AttributeType Type { get; set; }

    /// <summary>In a function's body: the attribute of the call whose value this one has.</summary>
    [ProtoMember(21, Name = "ref_attr_name"), DefaultValue("")]
    public string RefName { get; set; } = "";

    [ProtoMember(22, Name = "sparse_tensor")]
    public SparseTensorProto? SparseTensor { get; set; }

    public static AttributeProto Of(string name, long value) => new() { Name = name, I = value, Type = AttributeType.Int };

    public static AttributeProto Of(string name, float value) => new() { Name = name, F = value, Type = AttributeType.Float };

    public static AttributeProto Of(string name, string value) =>
        new() { Name = name, S = Encoding.UTF8.GetBytes(value), Type = AttributeType.String };

    public static AttributeProto Of(string name, IEnumerable<long> values)
    {
        var attribute = new AttributeProto { Name = name, Type = AttributeType.Ints };
        attribute.Ints.AddRange(values);
        return attribute;
    }
}

/// <summary>ONNX's AttributeProto.AttributeType.</summary>
public enum AttributeType
{
    Undefined = 0,
    Float = 1,
    Int = 2,
    String = 3,
    Tensor = 4,
    Graph = 5,
    Floats = 6,
    Ints = 7,
    Strings = 8,
    Tensors = 9,
    Graphs = 10,
    SparseTensor = 11,
    SparseTensors = 12,
    TypeProto = 13,
    TypeProtos = 14,
}
