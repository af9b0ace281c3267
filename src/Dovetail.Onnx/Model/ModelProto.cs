using System.ComponentModel;
using ProtoBuf;

namespace Dovetail.Onnx.Model;

/// <summary>
/// ONNX's ModelProto. These contract classes carry the field numbers of onnx.proto; fields that they do
/// not name (training information, …) survive a round trip as protobuf extension data.
/// </summary>
[ProtoContract(Name = "ModelProto")]
public sealed class ModelProto : Extensible
{
    [ProtoMember(1, Name = "ir_version")]
    public long IrVersion { get; set; }

    [ProtoMember(2, Name = "producer_name"), DefaultValue("")]
    public string ProducerName { get; set; } = "";

    [ProtoMember(3, Name = "producer_version"), DefaultValue("")]
    public string ProducerVersion { get; set; } = "";

    [ProtoMember(4, Name = "domain"), DefaultValue("")]
    public string Domain { get; set; } = "";

    [ProtoMember(5, Name = "model_version")]
    public long ModelVersion { get; set; }

    [ProtoMember(6, Name = "doc_string"), DefaultValue("")]
    public string DocString { get; set; } = "";

    [ProtoMember(7, Name = "graph")]
    public GraphProto? Graph { get; set; }

    [ProtoMember(8, Name = "opset_import")]
    public List<OperatorSetIdProto> OpsetImports { get; } = [];

    [ProtoMember(14, Name = "metadata_props")]
    public List<StringStringEntryProto> MetadataProps { get; } = [];

    [ProtoMember(25, Name = "functions")]
    public List<FunctionProto> Functions { get; } = [];
}

/// <summary>The version of an operator domain that a model uses; the empty domain is ONNX's own.</summary>
[ProtoContract(Name = "OperatorSetIdProto")]
public sealed class OperatorSetIdProto : Extensible
{
    [ProtoMember(1, Name = "domain"), DefaultValue("")]
    public string Domain { get; set; } = "";

    [ProtoMember(2, Name = "version")]
    public long Version { get; set; }
}

/// <summary>A key and its value.</summary>
[ProtoContract(Name = "StringStringEntryProto")]
public sealed class StringStringEntryProto : Extensible
{
    [ProtoMember(1, Name = "key"), DefaultValue("")]
    public string Key { get; set; } = "";

    [ProtoMember(2, Name = "value"), DefaultValue("")]
    public string Value { get; set; } = "";
}
