using System.Globalization;
using Dovetail.Core.Files;

namespace Dovetail.Onnx.Model;

/// <summary>
/// Tensors whose elements stand in a file of their own. Only files below the model's folder are read, as the ONNX reference
/// demands: neither an absolute path nor "..", nor a link in the path, may lead out of it.
/// </summary>
internal static class ExternalData
{
    private const int MostReread = 4;

    /// <summary>Brings the data of all initializers into memory.</summary>
    /// <returns>Bytes of the files that hold them.</returns>
    /// <exception cref="OnnxException">A file is missing, too short, no plain file, or outside the folder.</exception>
    public static long Read(OnnxModel model, string modelPath)
    {
        string folder = Path.GetDirectoryName(Path.GetFullPath(modelPath))!;
        HashSet<string> files = [];
        Dictionary<(string File, long Offset, long Length), byte[]> slices = [];
        long read = 0, fileBytes = 0;
        foreach (TensorProto tensor in Tensors(model).Where(t => t.DataLocation != 0))
        {
            string? Value(string key) => tensor.ExternalData.Find(e => e.Key == key)?.Value;
            string location = Value("location") ?? throw new OnnxException(
                $"'{modelPath}': tensor {tensor} has external data without a location.");
            if (location.Contains('\0', StringComparison.Ordinal) || location.Length == 0)
                throw new OnnxException($"'{modelPath}': tensor {tensor} has its data in a file without a name, or with a NUL in it; "
                    + "expected the name of a file beside the model.");
            string file = Path.GetFullPath(Path.Combine(folder, location));
            if (Path.IsPathRooted(location) || !IsBelow(file, folder))
                throw new OnnxException($"'{modelPath}': tensor {tensor} has its data in '{location}', outside the model's folder; only "
                    + "files below it are read.");
            if (RealPath(file) is { } real && !IsBelow(real, RealPath(folder) ?? folder))
                throw new OnnxException($"'{modelPath}': tensor {tensor} has its data in '{location}', a link to '{real}' outside the "
                    + "model's folder; only files below it are read. Copy the file there.");
            long expected = checked(tensor.ElementCount() * TensorData.ElementBytes(tensor.DataType));
            if (expected > Array.MaxLength)
                throw new OnnxException($"'{modelPath}': tensor {tensor} takes {expected} bytes, and {Array.MaxLength} are the most that "
                    + "one tensor may have here.");
            long offset = ParseNumber(Value("offset"), 0), length = ParseNumber(Value("length"), expected);
            if (offset < 0 || length != expected)
                throw new OnnxException($"'{modelPath}': tensor {tensor} has external data at offset {offset} of {length} bytes, expected "
                    + $"{expected} bytes.");
            if (!slices.TryGetValue((file, offset, length), out byte[]? slice))
            {
                slice = ReadSlice(modelPath, tensor, file, offset, (int)length);
                slices[(file, offset, length)] = slice;
                if (files.Add(file))
                    fileBytes += new FileInfo(RealPath(file) ?? file).Length;
                read += length;
                if (read > MostReread * fileBytes)
                    throw new OnnxException($"'{modelPath}': its tensors overlap in '{location}' and the other files of external data, so "
                        + $"that more than {MostReread} times their length would be read; expected each byte in one tensor.");
            }

            tensor.RawData = slice;
            tensor.DataLocation = 0;
            tensor.ExternalData.Clear();
        }

        return fileBytes;

        long ParseNumber(string? text, long absent) =>
            text is null ? absent
            : long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long value) ? value
            : throw new OnnxException($"'{modelPath}': '{text}' stands where an offset or a length of external data belongs.");
    }

    private static IEnumerable<TensorProto> Tensors(OnnxModel model) => model.WithBodies().SelectMany(graph =>
        graph.Graph.Initializers
            .Concat(graph.Nodes.SelectMany(node => node.Attributes).Select(attribute => attribute.T).OfType<TensorProto>())
            .Concat(graph.Nodes.SelectMany(node => node.Attributes).Select(attribute => attribute.SparseTensor).OfType<SparseTensorProto>()
                .Concat(graph.Graph.SparseInitializers)
                .SelectMany(sparse => (TensorProto?[])[sparse.Values, sparse.Indices]).OfType<TensorProto>()));

    private static byte[] ReadSlice(string modelPath, TensorProto tensor, string file, long offset, int length)
    {
        try
        {
            using FileStream stream = UserFile.OpenRead(file);
            if (offset > stream.Length - length)
                throw new OnnxException($"'{modelPath}': the data of tensor {tensor} end at byte {offset + length} of '{file}', which has "
                    + $"only {stream.Length}. Get the whole file.");
            stream.Position = offset;
            var bytes = new byte[length];
            stream.ReadExactly(bytes);
            return bytes;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new OnnxException($"'{modelPath}': the external data of tensor {tensor} cannot be read: {error.Message}", error);
        }
    }

    private static bool IsBelow(string file, string folder) =>
        file.StartsWith(folder.TrimEnd(Path.DirectorySeparatorChar) + Path.DirectorySeparatorChar, StringComparison.Ordinal);

    /// <summary>The path with every link in it followed; null where it does not exist or links run in circles.</summary>
    private static string? RealPath(string path)
    {
        const int MostLinks = 40; // as the kernel
        string root = Path.GetPathRoot(path)!, real = root;
        var rest = new Stack<string>(
            path[root.Length..].Split(Path.DirectorySeparatorChar, StringSplitOptions.RemoveEmptyEntries).Reverse());
        for (int links = 0; rest.TryPop(out string? part);)
        {
            string next = Path.GetFullPath(Path.Combine(real, part));
            FileSystemInfo info = Directory.Exists(next) ? new DirectoryInfo(next) : new FileInfo(next);
            if (!info.Exists)
                return null;
            if (info.LinkTarget is not { } target)
            {
                real = next;
                continue;
            }

            if (++links > MostLinks)
                return null;
            string full = Path.GetFullPath(Path.Combine(real, target));
            real = Path.GetPathRoot(full)!;
            foreach (string piece in full[real.Length..].Split(Path.DirectorySeparatorChar, StringSplitOptions.RemoveEmptyEntries)
                .Reverse())
                rest.Push(piece);
        }

        return real;
    }
}
