using Dovetail.Core.Files;
using ProtoBuf;

namespace Dovetail.Onnx.Model;

/// <summary>
/// ONNX files in and out. Reading checks the outer protobuf frame before anything is built, so that a
/// file that is not ONNX gets one clear message.
/// </summary>
internal static class OnnxFile
{
    /// <summary>Protobuf messages end below 2 GiB; some slack for what is not tensor data.</summary>
    public const long LargestMessageBytes = 2_000_000_000;

    private const string WhatToDo = "Give the path of an ONNX model (FILE.onnx).";

    public static OnnxModel Load(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        if (Directory.Exists(path))
            throw new OnnxException($"'{path}' is a folder, expected an ONNX file. {WhatToDo}");
        if (!File.Exists(path))
            throw new OnnxException($"There is no file '{path}'. {WhatToDo}");
        byte[] bytes;
        try
        {
            using FileStream stream = UserFile.OpenRead(path);
            if (stream.Length > Array.MaxLength)
                throw new OnnxException($"'{path}' has {stream.Length} bytes; an ONNX file holds less than 2 GB and keeps larger tensors "
                    + "as external data.");
            bytes = UserFile.ReadAllBytes(path, Array.MaxLength);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new OnnxException($"'{path}' cannot be read: {error.Message}", error);
        }

        long beside = 0;
        OnnxModel model = Read(bytes, $"'{path}'", proto => beside = ExternalData.Read(new OnnxModel(proto), path));
        model.SourceBytes = bytes.Length + beside;
        WeightFolding.Apply(model);
        return model;
    }

    public static OnnxModel Parse(ReadOnlyMemory<byte> bytes, string source)
    {
        OnnxModel model = Read(bytes, source, _ => { });
        model.SourceBytes = bytes.Length;
        WeightFolding.Apply(model);
        return model;
    }

    /// <param name="complete">Brings what stands in other files.</param>
    private static OnnxModel Read(ReadOnlyMemory<byte> bytes, string source, Action<ModelProto> complete)
    {
        if (bytes.IsEmpty)
            throw new OnnxException($"{source} is empty, expected an ONNX model. {WhatToDo}");
        new ProtobufFrame(bytes.Span, source, WhatToDo).Check();
        ModelProto proto;
        try
        {
            proto = Serializer.Deserialize<ModelProto>(bytes);
        }
        catch (Exception error)
            when (error is ProtoException or EndOfStreamException or OverflowException or InvalidOperationException or ArgumentException
            or OutOfMemoryException or IndexOutOfRangeException)
        {
            throw new OnnxException($"{source} is not an ONNX model or is damaged: {error.Message} {WhatToDo}", error);
        }

        if (proto.Graph is null)
            throw new OnnxException($"{source} holds no graph: it is not an ONNX model, or it was cut off. {WhatToDo}");
        if (proto.IrVersion < 1 || proto.OpsetImports.Count == 0)
            throw new OnnxException($"{source} names no {(proto.IrVersion < 1 ? "IR version" : "operator set")}: it is not an ONNX model, "
                + $"or it was cut off. {WhatToDo}");
        FunctionInlining.Apply(proto);
        complete(proto);
        ConstantForms.Unify(proto.Graph, source);
        var model = new OnnxModel(proto);
        DovetailVersions.Check(model, source);
        return model;
    }

    /// <returns>Bytes of the file, and of the one beside it.</returns>
    public static long Save(OnnxModel model, string path, long externalDataThresholdBytes)
    {
        string full = Path.GetFullPath(path);
        (List<TensorProto> List, int Index, TensorProto Tensor)[] inMemory = [.. model.WithBodies().SelectMany(
            graph => graph.Graph.Initializers.Select((tensor, index) => (graph.Graph.Initializers, index, tensor)))];
        long bytes = inMemory.Sum(entry => (long)(entry.Tensor.RawData?.Length ?? 0));
        if (bytes <= externalDataThresholdBytes)
        {
            AtomicFile.Write(full, stream => Serializer.Serialize(stream, model.Proto));
            return model.ByteCount;
        }

        string location = Path.GetFileName(full) + ".data";
        long beside = 0;
        try
        {
            AtomicFile.Write(Path.Combine(Path.GetDirectoryName(full)!, location), stream =>
            {
                foreach ((List<TensorProto> list, int index, TensorProto tensor) in inMemory)
                {
                    // Small tensors stay inside: shapes and scalars are what tools look at first.
                    if (tensor.RawData is not { Length: >= 1024 } raw)
                        continue;
                    Pad(stream, 64);
                    list[index] = tensor.WithExternalData(location, stream.Position, raw.Length);
                    stream.Write(raw);
                }

                beside = stream.Position;
            });
            AtomicFile.Write(full, stream => Serializer.Serialize(stream, model.Proto));
            return model.ByteCount + beside;
        }
        finally
        {
            foreach ((List<TensorProto> list, int index, TensorProto tensor) in inMemory)
                list[index] = tensor;
        }
    }

    private static void Pad(Stream stream, int alignment)
    {
        int rest = (int)(stream.Position % alignment);
        if (rest > 0)
            stream.Write(new byte[alignment - rest]);
    }
}
