using System.Buffers;
using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Unicode;

namespace Dovetail.Core.Safetensors;

/// <summary>
/// The header of a safetensors file, checked.
/// 1. Bytes 0–7: the length n of the header, u64 little-endian, ≤ 100,000,000.
/// 2. Bytes 8 … 8 + n: a JSON object in UTF-8, maybe followed by white space. Each member is a tensor
///    {"dtype", "shape", "data_offsets"}, or "__metadata__", an object of strings.
/// 3. The data section follows; sorted by (begin, end) the tensors cover it without hole or overlap,
///    and the last ends with the file.
/// Tolerated as in the reference reader: leading white space, further members of a tensor, null metadata.
/// Refused although the reference lets it pass: a name that stands twice (the format's text forbids it).
/// Source: the safetensors format description and its reference implementation.
/// </summary>
internal sealed class SafetensorsHeader
{
    internal const int MaxHeaderLength = 100_000_000;

    private SafetensorsHeader(long dataStart, List<SafetensorsTensor> tensors, SortedDictionary<string, string> metadata) =>
        (DataStart, Tensors, Metadata) = (dataStart, tensors, metadata);

    /// <summary>File offset of the data section.</summary>
    internal long DataStart { get; }

    /// <summary>Sorted by (begin, end), then by name.</summary>
    internal List<SafetensorsTensor> Tensors { get; }

    internal SortedDictionary<string, string> Metadata { get; }

    /// <summary>The length of the header JSON from the first 8 bytes of a file of <paramref name="fileLength"/> bytes.</summary>
    internal static int ReadLength(ReadOnlySpan<byte> prefix, long fileLength)
    {
        if (fileLength < 8)
            throw new SafetensorsException($"The file has {fileLength} bytes; a safetensors file starts with 8 bytes that hold the length "
                + "of its header. It is empty, truncated or something else.", 0);
        ulong length = BinaryPrimitives.ReadUInt64LittleEndian(prefix);
        if (length > MaxHeaderLength)
            throw new SafetensorsException($"The header is said to take {length} bytes, expected at most {MaxHeaderLength}. This is not a "
                + "safetensors file.", 0);
        if ((long)length > fileLength - 8)
            throw new SafetensorsException($"The header is said to take {length} bytes, and only {fileLength - 8} follow. The file is "
                + "truncated or not safetensors.", 0);
        return (int)length;
    }

    /// <param name="json">The header without its length.</param>
    /// <param name="fileLength">Of the whole file, to check that the tensors end with it.</param>
    internal static SafetensorsHeader Parse(ReadOnlySpan<byte> json, long fileLength)
    {
        if (!Utf8.IsValid(json))
            throw new SafetensorsException("The header is not UTF-8. The file is damaged or not safetensors.", 8 + FirstInvalid(json));
        var tensors = new List<SafetensorsTensor>();
        var metadata = new SortedDictionary<string, string>(StringComparer.Ordinal);
        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = 128 });
        try
        {
            ReadMembers(ref reader, tensors, metadata);
        }
        catch (JsonException error)
        {
            throw new SafetensorsException(
                $"The header is not a JSON object: {FirstSentence(error.Message)}", error, 8 + reader.BytesConsumed);
        }
        catch (InvalidOperationException error) // GetString on an escaped lone surrogate
        {
            throw new SafetensorsException("The header holds an escape that is no character.", error, 8 + reader.TokenStartIndex);
        }

        var header = new SafetensorsHeader(8L + json.Length, tensors, metadata);
        header.CheckCover(fileLength);
        return header;
    }

    private static void ReadMembers(ref Utf8JsonReader reader, List<SafetensorsTensor> tensors, SortedDictionary<string, string> metadata)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        reader.Read();
        if (reader.TokenType != JsonTokenType.StartObject)
            throw new SafetensorsException(
                $"The header is a JSON {Describe(reader.TokenType)}, expected an object of tensors.", 8 + reader.TokenStartIndex);
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            string name = reader.GetString()!;
            if (!names.Add(name))
                throw new SafetensorsException("The header names a tensor twice.", 8 + reader.TokenStartIndex, name);
            reader.Read();
            if (name == "__metadata__")
                ReadMetadata(ref reader, metadata);
            else
                tensors.Add(ReadTensor(ref reader, name));
        }

        reader.Read(); // anything but white space behind the object is an error
    }

    private static void ReadMetadata(ref Utf8JsonReader reader, SortedDictionary<string, string> metadata)
    {
        if (reader.TokenType == JsonTokenType.Null)
            return;
        if (reader.TokenType != JsonTokenType.StartObject)
            throw new SafetensorsException(
                $"__metadata__ is a JSON {Describe(reader.TokenType)}, expected an object of strings.", 8 + reader.TokenStartIndex);
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            string key = reader.GetString()!;
            reader.Read();
            if (reader.TokenType != JsonTokenType.String)
                throw new SafetensorsException($"__metadata__ entry '{SafetensorsException.Shorten(key)}' is a JSON "
                    + $"{Describe(reader.TokenType)}, expected a string.", 8 + reader.TokenStartIndex);
            if (!metadata.TryAdd(key, reader.GetString()!))
                throw new SafetensorsException(
                    $"__metadata__ holds '{SafetensorsException.Shorten(key)}' twice.", 8 + reader.TokenStartIndex);
        }
    }

    private static SafetensorsTensor ReadTensor(ref Utf8JsonReader reader, string name)
    {
        long start = 8 + reader.TokenStartIndex;
        if (reader.TokenType != JsonTokenType.StartObject)
            throw new SafetensorsException($"A tensor is a JSON {Describe(reader.TokenType)}, expected an object with dtype, shape and "
                + "data_offsets.", start, name);
        SafetensorsDType? type = null;
        ImmutableArray<long>? shape = null, offsets = null;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            bool dtypeMember = reader.ValueTextEquals("dtype"u8), shapeMember = reader.ValueTextEquals("shape"u8);
            bool offsetsMember = reader.ValueTextEquals("data_offsets"u8);
            if ((dtypeMember && type is not null) || (shapeMember && shape is not null) || (offsetsMember && offsets is not null))
                throw new SafetensorsException($"'{reader.GetString()}' stands twice.", 8 + reader.TokenStartIndex, name);
            reader.Read();
            if (dtypeMember)
                type = ReadType(ref reader, name);
            else if (shapeMember)
                shape = ReadNumbers(ref reader, name, "shape");
            else if (offsetsMember)
                offsets = ReadNumbers(ref reader, name, "data_offsets");
            else
                reader.Skip();
        }

        if (type is null || shape is null || offsets is null)
            throw new SafetensorsException(
                $"'{(type is null ? "dtype" : shape is null ? "shape" : "data_offsets")}' is missing.", start, name);
        if (offsets.Value.Length != 2)
            throw new SafetensorsException($"data_offsets has {offsets.Value.Length} numbers, expected 2: [begin, end].", start, name);
        (long begin, long end) = (offsets.Value[0], offsets.Value[1]);
        if (end < begin)
            throw new SafetensorsException($"data_offsets is [{begin}, {end}]: the end lies before the begin.", start, name);
        string described = $"{type.Value.FileName()} {SafetensorsTensor.Format(shape.Value.AsSpan())}";
        long size = SafetensorsTensor.SizeOf(type.Value, shape.Value.AsSpan())
            ?? throw new SafetensorsException($"The size of {described} overflows or is not a whole number of bytes.", start, name);
        if (size != end - begin)
            throw new SafetensorsException(
                $"{described} takes {size} bytes, and data_offsets [{begin}, {end}] gives it {end - begin}.", start, name);
        return new SafetensorsTensor(name, type.Value, shape.Value, begin, end);
    }

    private static SafetensorsDType ReadType(ref Utf8JsonReader reader, string name)
    {
        if (reader.TokenType != JsonTokenType.String)
            throw new SafetensorsException(
                $"dtype is a JSON {Describe(reader.TokenType)}, expected a string.", 8 + reader.TokenStartIndex, name);
        string text = reader.GetString()!;
        return SafetensorsDTypes.TryParse(text, out SafetensorsDType type)
            ? type
            : throw new SafetensorsException($"dtype is '{SafetensorsException.Shorten(text)}', expected one of "
                + $"{SafetensorsDTypes.AllNames}.", 8 + reader.TokenStartIndex, name);
    }

    private static ImmutableArray<long> ReadNumbers(ref Utf8JsonReader reader, string name, string member)
    {
        if (reader.TokenType != JsonTokenType.StartArray)
            throw new SafetensorsException(
                $"{member} is a JSON {Describe(reader.TokenType)}, expected an array of integers.", 8 + reader.TokenStartIndex, name);
        long[] numbers = ArrayPool<long>.Shared.Rent(8);
        int count = 0;
        try
        {
            while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
            {
                if (reader.TokenType != JsonTokenType.Number || !reader.TryGetInt64(out long number) || number < 0)
                    throw new SafetensorsException(
                        $"{member} holds something that is not an integer from 0 to 2^63 - 1.", 8 + reader.TokenStartIndex, name);
                if (count == numbers.Length)
                {
                    long[] larger = ArrayPool<long>.Shared.Rent(count * 2);
                    numbers.CopyTo(larger, 0);
                    ArrayPool<long>.Shared.Return(numbers);
                    numbers = larger;
                }

                numbers[count++] = number;
            }

            return ImmutableArray.Create(numbers.AsSpan(0, count));
        }
        finally
        {
            ArrayPool<long>.Shared.Return(numbers);
        }
    }

    private void CheckCover(long fileLength)
    {
        Tensors.Sort((a, b) =>
            a.Begin != b.Begin ? a.Begin.CompareTo(b.Begin)
            : a.End != b.End ? a.End.CompareTo(b.End)
            : string.CompareOrdinal(a.Name, b.Name));
        long reached = 0, dataLength = fileLength - DataStart;
        foreach (SafetensorsTensor tensor in Tensors)
        {
            if (tensor.Begin > reached)
                throw new SafetensorsException($"Bytes {reached} to {tensor.Begin} of the data section belong to no tensor; the format "
                    + "allows no holes.", DataStart + reached, tensor.Name);
            if (tensor.Begin < reached)
                throw new SafetensorsException($"data_offsets [{tensor.Begin}, {tensor.End}] overlaps the tensor before it, which ends at "
                    + $"{reached}.", DataStart + tensor.Begin, tensor.Name);
            if (tensor.End > dataLength)
                throw new SafetensorsException($"data_offsets [{tensor.Begin}, {tensor.End}] reaches past the end of the data section, "
                    + $"{dataLength} bytes. The file is truncated.", DataStart + tensor.Begin, tensor.Name);
            reached = tensor.End;
        }

        if (reached != dataLength)
            throw new SafetensorsException($"The tensors end after {reached} bytes of the data section, which has {dataLength}; expected "
                + "them to end with the file.", DataStart + reached);
    }

    private static int FirstInvalid(ReadOnlySpan<byte> text)
    {
        int at = 0;
        while (at < text.Length && System.Text.Rune.DecodeFromUtf8(text[at..], out _, out int used) == OperationStatus.Done)
            at += used;
        return at;
    }

    private static string FirstSentence(string message)
    {
        int end = message.IndexOf(". ", StringComparison.Ordinal);
        return end < 0 ? message : message[..(end + 1)];
    }

    private static string Describe(JsonTokenType token) => token switch
    {
        JsonTokenType.StartObject => "object",
        JsonTokenType.StartArray => "array",
        JsonTokenType.String => "string",
        JsonTokenType.Number => "number",
        JsonTokenType.True or JsonTokenType.False => "boolean",
        _ => "null",
    };
}
