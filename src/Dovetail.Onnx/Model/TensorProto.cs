using System.ComponentModel;
using ProtoBuf;

namespace Dovetail.Onnx.Model;

/// <summary>
/// ONNX's TensorProto. The elements stand in <see cref="RawData"/> (little-endian) or in a typed list;
/// <see cref="TensorData"/> reads and makes them. External data is brought into RawData at load.
/// </summary>
[ProtoContract(Name = "TensorProto")]
public sealed class TensorProto : Extensible
{
    [ProtoMember(1, Name = "dims", IsPacked = false)]
    public List<long> Dims { get; } = [];

    [ProtoMember(2, Name = "data_type")]
    public OnnxType DataType { get; set; }

    [ProtoMember(4, Name = "float_data", IsPacked = true)]
    public float[]? FloatData { get; set; }

    [ProtoMember(5, Name = "int32_data", IsPacked = true)]
    public int[]? Int32Data { get; set; }

    [ProtoMember(6, Name = "string_data")]
    public List<byte[]> StringData { get; } = [];

    [ProtoMember(7, Name = "int64_data", IsPacked = true)]
    public long[]? Int64Data { get; set; }

    [ProtoMember(8, Name = "name"), DefaultValue("")]
    public string Name { get; set; } = "";

    [ProtoMember(9, Name = "raw_data", OverwriteList = true)]
    public byte[]? RawData { get; set; }

    [ProtoMember(10, Name = "double_data", IsPacked = true)]
    public double[]? DoubleData { get; set; }

    [ProtoMember(11, Name = "uint64_data", IsPacked = true)]
    public ulong[]? UInt64Data { get; set; }

    [ProtoMember(12, Name = "doc_string"), DefaultValue("")]
    public string DocString { get; set; } = "";

    /// <summary>Keys location, offset, length, checksum; only between file and memory.</summary>
    [ProtoMember(13, Name = "external_data")]
    public List<StringStringEntryProto> ExternalData { get; private set; } = [];

    /// <summary>0: in this message; 1: in a file of its own.</summary>
    [ProtoMember(14, Name = "data_location")]
    public int DataLocation { get; set; }

    /// <summary>"'stem.weight' float[64, 1, 3, 3]".</summary>
    public override string ToString() => $"'{Name}' {DataType.ToString().ToLowerInvariant()}[{string.Join(", ", Dims)}]";

    /// <summary>The same tensor whose data is said to stand in a file; the original stays as it is.</summary>
    internal TensorProto WithExternalData(string location, long offset, long length)
    {
        var copy = (TensorProto)MemberwiseClone();
        copy.RawData = null;
        copy.DataLocation = 1;
        copy.ExternalData =
        [
            new() { Key = "location", Value = location },
            new() { Key = "offset", Value = $"{offset}" },
            new() { Key = "length", Value = $"{length}" },
        ];
        return copy;
    }
}

/// <summary>ONNX's TensorProto.DataType.</summary>
public enum OnnxType
{
    Undefined = 0,
    Float = 1,
    UInt8 = 2,
    Int8 = 3,
    UInt16 = 4,
    Int16 = 5,
    Int32 = 6,
    Int64 = 7,
    String = 8,
    Bool = 9,
    Float16 = 10,
    Double = 11,
    UInt32 = 12,
    UInt64 = 13,
    Complex64 = 14,
    Complex128 = 15,
    BFloat16 = 16,
}
