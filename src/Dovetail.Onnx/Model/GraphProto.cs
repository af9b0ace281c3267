using System.ComponentModel;
using ProtoBuf;

namespace Dovetail.Onnx.Model;

/// <summary>ONNX's GraphProto: nodes in topological order, initializers, inputs and outputs.</summary>
[ProtoContract(Name = "GraphProto")]
public sealed class GraphProto : Extensible
{
    [ProtoMember(1, Name = "node")]
    public List<NodeProto> Nodes { get; } = [];

    [ProtoMember(2, Name = "name"), DefaultValue("")]
    public string Name { get; set; } = "";

    [ProtoMember(5, Name = "initializer")]
    public List<TensorProto> Initializers { get; } = [];

    [ProtoMember(10, Name = "doc_string"), DefaultValue("")]
    public string DocString { get; set; } = "";

    /// <summary>In old files it lists initializers too; see <see cref="OnnxModel.Inputs"/>.</summary>
    [ProtoMember(11, Name = "input")]
    public List<ValueInfoProto> Inputs { get; } = [];

    [ProtoMember(12, Name = "output")]
    public List<ValueInfoProto> Outputs { get; } = [];

    [ProtoMember(13, Name = "value_info")]
    public List<ValueInfoProto> ValueInfos { get; } = [];

    /// <summary>Only between file and memory: reading a model moves them to <see cref="Initializers"/>.</summary>
    [ProtoMember(15, Name = "sparse_initializer")]
    public List<SparseTensorProto> SparseInitializers { get; } = [];
}
