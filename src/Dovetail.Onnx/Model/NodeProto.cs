using System.ComponentModel;
using ProtoBuf;

namespace Dovetail.Onnx.Model;

/// <summary>ONNX's NodeProto. An empty name among the inputs or outputs stands for an optional one left out.</summary>
[ProtoContract(Name = "NodeProto")]
public sealed class NodeProto : Extensible
{
    public NodeProto() { }

    public NodeProto(string opType, string name, IEnumerable<string> inputs, IEnumerable<string> outputs, string domain = "")
    {
        (OpType, Name, Domain) = (opType, name, domain);
        Inputs.AddRange(inputs);
        Outputs.AddRange(outputs);
    }

    [ProtoMember(1, Name = "input")]
    public List<string> Inputs { get; } = [];

    [ProtoMember(2, Name = "output")]
    public List<string> Outputs { get; } = [];

    [ProtoMember(3, Name = "name"), DefaultValue("")]
    public string Name { get; set; } = "";

    [ProtoMember(4, Name = "op_type"), DefaultValue("")]
    public string OpType { get; set; } = "";

    [ProtoMember(5, Name = "attribute")]
    public List<AttributeProto> Attributes { get; } = [];

    [ProtoMember(6, Name = "doc_string"), DefaultValue("")]
    public string DocString { get; set; } = "";

    [ProtoMember(7, Name = "domain"), DefaultValue("")]
    public string Domain { get; set; } = "";

    /// <summary>Which of several functions of one name the node calls.</summary>
    [ProtoMember(8, Name = "overload"), DefaultValue("")]
    public string Overload { get; set; } = "";

    /// <summary>The name of an input, or "" where it is left out.</summary>
    public string Input(int index) => index < Inputs.Count ? Inputs[index] : "";

    /// <summary>The name of the first output, or "" where there is none.</summary>
    internal string Output() => Outputs.Count > 0 ? Outputs[0] : "";

    /// <summary>True where the optional input is there.</summary>
    public bool HasInput(int index) => Input(index).Length > 0;

    /// <summary>True for an operator of ONNX's own domain.</summary>
    public bool Is(string opType) => OpType == opType && (Domain is "" or "ai.onnx");

    /// <summary>"Conv 'stem'"; nodes without a name are shown by their output.</summary>
    public override string ToString() =>
        $"{(Domain is "" or "ai.onnx" ? "" : Domain + ".")}{OpType} "
        + $"'{(Name.Length > 0 ? Name : Outputs.Count > 0 ? "→" + Outputs[0] : "?")}'";
}
