namespace Dovetail.Onnx.Model;

/// <summary>
/// Checks the frame of an ONNX file before anything is built of it: every field of every message that is
/// read ends inside its message. A length that lies, which a reader would allocate for, is refused here.
/// Source: the protobuf wire format and onnx.proto.
/// </summary>
internal readonly ref struct ProtobufFrame(ReadOnlySpan<byte> bytes, string source, string whatToDo)
{
    /// <summary>Graphs inside attributes inside nodes …: no sane model goes deeper.</summary>
    private const int MaxDepth = 64;

    private readonly ReadOnlySpan<byte> _bytes = bytes;

    private enum Message
    {
        Model, Graph, Function, Node, Attribute, Tensor, SparseTensor, ValueInfo, Type, TensorType, Shape, Leaf,
    }

    public void Check() => Check(Message.Model, 0, _bytes.Length, MaxDepth);

    private void Check(Message message, int at, int end, int depth)
    {
        if (depth == 0)
            throw new OnnxException($"{source} is not an ONNX model: the message at byte {at} lies {MaxDepth} messages deep. {whatToDo}");
        while (at < end)
        {
            int start = at;
            ulong tag = ReadVarint(ref at, end);
            ulong length = 0;
            switch (tag & 7)
            {
                case 0:
                    ReadVarint(ref at, end);
                    break;
                case 1:
                    length = 8;
                    break;
                case 2:
                    length = ReadVarint(ref at, end);
                    break;
                case 5:
                    length = 4;
                    break;
                default:
                    throw NoField(start);
            }

            if (tag >> 3 is 0 or > int.MaxValue)
                throw NoField(start);
            if (length > (ulong)(end - at))
                throw new OnnxException($"{source} is not an ONNX model or was cut off: the field at byte {start} takes {length} bytes, "
                    + $"and {end - at} are left. {whatToDo}");
            if ((tag & 7) == 2 && Submessage(message, tag >> 3) is { } inner)
                Check(inner, at, at + (int)length, depth - 1);
            at += (int)length;
        }
    }

    private static Message? Submessage(Message message, ulong field) => (message, field) switch
    {
        (Message.Model, 7) => Message.Graph,
        (Message.Model, 8 or 14) => Message.Leaf, // opset_import, metadata_props
        (Message.Model, 25) => Message.Function,
        (Message.Function, 7) => Message.Node,
        (Message.Function, 9) => Message.Leaf, // opset_import
        (Message.Function, 11) => Message.Attribute, // attribute_proto
        (Message.Graph, 1) => Message.Node,
        (Message.Graph, 5) => Message.Tensor,
        (Message.Graph, 11 or 12 or 13) => Message.ValueInfo,
        (Message.Graph, 15) => Message.SparseTensor,
        (Message.SparseTensor, 1 or 2) => Message.Tensor,
        (Message.Node, 5) => Message.Attribute,
        (Message.Attribute, 5) => Message.Tensor,
        (Message.Attribute, 6 or 11) => Message.Graph,
        (Message.Attribute, 22) => Message.SparseTensor,
        (Message.Tensor, 13) => Message.Leaf, // external_data
        (Message.ValueInfo, 2) => Message.Type,
        (Message.Type, 1) => Message.TensorType,
        (Message.TensorType, 2) => Message.Shape,
        (Message.Shape, 1) => Message.Leaf, // dim
        _ => null,
    };

    private ulong ReadVarint(ref int at, int end)
    {
        ulong value = 0;
        for (int shift = 0, start = at; shift < 70; shift += 7)
        {
            if (at == end)
                throw new OnnxException($"{source} is not an ONNX model or was cut off: it ends inside the number at byte {start}. "
                    + $"{whatToDo}");
            byte next = _bytes[at++];
            value |= (ulong)(next & 0x7f) << shift;
            if (next < 0x80)
                return value;
        }

        throw new OnnxException($"{source} is not an ONNX model: no number of a protobuf message ends at byte {at}. {whatToDo}");
    }

    private OnnxException NoField(int start) =>
        new($"{source} is not an ONNX model: byte {start} starts no protobuf field. {whatToDo}");
}
