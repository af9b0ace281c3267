using ProtoBuf;

namespace Dovetail.Onnx.Model;

/// <summary>ONNX's SparseTensorProto: a tensor of <see cref="Dims"/> that is zero but for some elements; its name is that of the
/// values.</summary>
[ProtoContract(Name = "SparseTensorProto")]
public sealed class SparseTensorProto : Extensible
{
    /// <summary>[NNZ].</summary>
    [ProtoMember(1, Name = "values")]
    public TensorProto? Values { get; set; }

    /// <summary>int64: [NNZ] positions in row-major order, or [NNZ, rank] coordinates; ascending.</summary>
    [ProtoMember(2, Name = "indices")]
    public TensorProto? Indices { get; set; }

    [ProtoMember(3, Name = "dims", IsPacked = false)]
    public List<long> Dims { get; } = [];
}
