using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Dovetail.Core.Files;

namespace Dovetail.Core.Safetensors;

/// <summary>
/// Writes safetensors files strictly and deterministically: the same tensors and metadata give the same bytes.
/// 1. Tensors stand in ordinal order of their names; metadata keys too.
/// 2. Each tensor starts at a multiple of 64 bytes of the file. The header is padded with spaces to that end;
///    between tensors stand U8 tensors of zeros named "__pad__.0", "__pad__.1", …, as the format allows no holes.
/// 3. Tensors are streamed, one after another, while their SHA-256 is taken; it stands in the metadata as
///    <see cref="SafetensorsFile.PayloadHashKey"/>, a text of fixed length, put in at the end.
/// 4. A file is replaced at once (<see cref="AtomicFile"/>).
/// </summary>
public static class SafetensorsWriter
{
    /// <summary>Bytes that tensors and the data section are aligned to.</summary>
    public const int Alignment = 64;

    /// <summary>Quotes stand as \" and other letters as themselves.</summary>
    internal static readonly JsonWriterOptions HeaderJson = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private const string NoHash = "0000000000000000000000000000000000000000000000000000000000000000";

    /// <exception cref="SafetensorsException">A name, a shape or the bytes of a tensor are not what the format allows.</exception>
    public static void Write(string path, IEnumerable<SafetensorsEntry> tensors, IReadOnlyDictionary<string, string>? metadata = null)
    {
        Plan plan = Plan.Of(tensors, metadata);
        AtomicFile.Write(path, plan.WriteTo);
    }

    /// <summary>Writes to a stream that can seek, from its current position on.</summary>
    public static void Write(Stream stream, IEnumerable<SafetensorsEntry> tensors, IReadOnlyDictionary<string, string>? metadata = null)
    {
        ArgumentNullException.ThrowIfNull(stream);
        Plan.Of(tensors, metadata).WriteTo(stream);
    }

    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private sealed class Plan
    {
        private readonly List<(SafetensorsTensor Tensor, SafetensorsEntry? Entry)> _tensors = [];
        private readonly SortedDictionary<string, string> _metadata = new(StringComparer.Ordinal);

        internal static Plan Of(IEnumerable<SafetensorsEntry> tensors, IReadOnlyDictionary<string, string>? metadata)
        {
            ArgumentNullException.ThrowIfNull(tensors);
            var plan = new Plan();
            foreach ((string key, string value) in metadata ?? new Dictionary<string, string>())
            {
                if (key == SafetensorsFile.PayloadHashKey)
                    throw new SafetensorsException($"The metadata key '{key}' is the writer's own; leave it out.");
                plan._metadata.Add(Checked(key), Checked(value));
            }

            plan._metadata.Add(SafetensorsFile.PayloadHashKey, NoHash);
            plan.PlaceTensors([.. tensors]);
            return plan;
        }

        internal void WriteTo(Stream stream)
        {
            long start = stream.Position;
            byte[] header = Header();
            stream.Write(header);
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            foreach ((SafetensorsTensor tensor, SafetensorsEntry? entry) in _tensors)
            {
                using var window = new TensorStream(stream, hash, tensor);
                if (entry is null)
                    window.Write(new byte[tensor.ByteCount]);
                else
                    entry.WriteTo(window);
                window.CheckComplete();
            }

            _metadata[SafetensorsFile.PayloadHashKey] = Convert.ToHexStringLower(hash.GetHashAndReset());
            long end = stream.Position;
            stream.Position = start;
            stream.Write(Header());
            stream.Position = end;
        }

        private void PlaceTensors(List<SafetensorsEntry> entries)
        {
            entries.Sort((a, b) => string.CompareOrdinal(a.Name, b.Name));
            long at = 0;
            string? previous = null;
            int paddings = 0;
            foreach (SafetensorsEntry entry in entries)
            {
                if (entry.Name is "" or "__metadata__" || entry.Name.StartsWith(SafetensorsTensor.PaddingPrefix, StringComparison.Ordinal))
                    throw new SafetensorsException($"A tensor may not be called '{entry.Name}': the name is empty or reserved.");
                if (Checked(entry.Name) == previous)
                    throw new SafetensorsException("Two tensors have the same name.", tensor: entry.Name);
                previous = entry.Name;
                long size = entry.Shape.All(dimension => dimension >= 0)
                    ? SafetensorsTensor.SizeOf(entry.DType, entry.Shape.AsSpan()) ?? -1
                    : -1;
                if (size < 0 || at > long.MaxValue - Alignment - size)
                    throw new SafetensorsException($"The shape {SafetensorsTensor.Format(entry.Shape.AsSpan())} of "
                        + $"{entry.DType.FileName()} is negative, overflows or is not a whole number of bytes.", tensor: entry.Name);
                int padding = size == 0 ? 0 : (int)(-at & (Alignment - 1));
                if (padding > 0)
                {
                    _tensors.Add(
                        (new SafetensorsTensor(
                            $"{SafetensorsTensor.PaddingPrefix}{paddings++}", SafetensorsDType.U8, [padding], at, at + padding), null));
                    at += padding;
                }

                _tensors.Add((new SafetensorsTensor(entry.Name, entry.DType, entry.Shape, at, at + size), entry));
                at += size;
            }
        }

        private byte[] Header()
        {
            using var stream = new MemoryStream();
            stream.Write(stackalloc byte[8]);
            using (var json = new Utf8JsonWriter(stream, SafetensorsWriter.HeaderJson))
            {
                json.WriteStartObject();
                json.WriteStartObject("__metadata__");
                foreach ((string key, string value) in _metadata)
                    json.WriteString(key, value);
                json.WriteEndObject();
                foreach ((SafetensorsTensor tensor, _) in _tensors)
                    WriteTensor(json, tensor);
                json.WriteEndObject();
            }

            while (stream.Length % Alignment != 0)
                stream.WriteByte((byte)' ');
            if (stream.Length - 8 > SafetensorsHeader.MaxHeaderLength)
                throw new SafetensorsException($"The header would take {stream.Length - 8} bytes, and the format allows "
                    + $"{SafetensorsHeader.MaxHeaderLength}. Write fewer tensors a file.");
            byte[] header = stream.ToArray();
            BinaryPrimitives.WriteUInt64LittleEndian(header, (ulong)header.Length - 8);
            return header;
        }

        private static void WriteTensor(Utf8JsonWriter json, SafetensorsTensor tensor)
        {
            json.WriteStartObject(tensor.Name);
            json.WriteString("dtype", tensor.DType.FileName());
            json.WriteStartArray("shape");
            foreach (long dimension in tensor.Shape)
                json.WriteNumberValue(dimension);
            json.WriteEndArray();
            json.WriteStartArray("data_offsets");
            json.WriteNumberValue(tensor.Begin);
            json.WriteNumberValue(tensor.End);
            json.WriteEndArray();
            json.WriteEndObject();
        }

        /// <summary>JSON cannot say half of a surrogate pair.</summary>
        private static string Checked(string text)
        {
            try
            {
                StrictUtf8.GetByteCount(text);
                return text;
            }
            catch (EncoderFallbackException error)
            {
                throw new SafetensorsException(
                    "A name or a metadata text holds half of a surrogate pair, which is no character.", error, tensor: text);
            }
        }
    }

    /// <summary>Passes a tensor's bytes on, hashing and counting them.</summary>
    private sealed class TensorStream(Stream target, IncrementalHash hash, SafetensorsTensor tensor) : Stream
    {
        private long _written;

        public override bool CanRead => false;
        public override bool CanSeek => false;
        public override bool CanWrite => true;
        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => _written;
            set => throw new NotSupportedException();
        }

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            if (buffer.Length > tensor.ByteCount - _written)
                throw new SafetensorsException($"More than the {tensor.ByteCount} bytes of {tensor.DType.FileName()} "
                    + $"{SafetensorsTensor.Format(tensor.Shape.AsSpan())} were written.", tensor: tensor.Name);
            hash.AppendData(buffer);
            target.Write(buffer);
            _written += buffer.Length;
        }

        public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

        public override void Flush() { }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        internal void CheckComplete()
        {
            if (_written != tensor.ByteCount)
                throw new SafetensorsException($"{_written} bytes were written for {tensor.DType.FileName()} "
                    + $"{SafetensorsTensor.Format(tensor.Shape.AsSpan())}, expected {tensor.ByteCount}.", tensor: tensor.Name);
        }
    }
}
