using System.ComponentModel;
using ProtoBuf;

namespace Dovetail.Onnx.Model;

/// <summary>ONNX's FunctionProto: an operator that the model defines itself, by a graph of nodes without initializers.</summary>
[ProtoContract(Name = "FunctionProto")]
public sealed class FunctionProto : Extensible
{
    [ProtoMember(1, Name = "name"), DefaultValue("")]
    public string Name { get; set; } = "";

    [ProtoMember(4, Name = "input")]
    public List<string> Inputs { get; } = [];

    [ProtoMember(5, Name = "output")]
    public List<string> Outputs { get; } = [];

    /// <summary>Names of attributes that a call must give, or leave out.</summary>
    [ProtoMember(6, Name = "attribute")]
    public List<string> Attributes { get; } = [];

    [ProtoMember(7, Name = "node")]
    public List<NodeProto> Nodes { get; } = [];

    [ProtoMember(9, Name = "opset_import")]
    public List<OperatorSetIdProto> OpsetImports { get; } = [];

    [ProtoMember(10, Name = "domain"), DefaultValue("")]
    public string Domain { get; set; } = "";

    /// <summary>Attributes with the values that they have where a call does not say them.</summary>
    [ProtoMember(11, Name = "attribute_proto")]
    public List<AttributeProto> Defaults { get; } = [];

    /// <summary>Tells functions of one name apart.</summary>
    [ProtoMember(13, Name = "overload"), DefaultValue("")]
    public string Overload { get; set; } = "";
}
