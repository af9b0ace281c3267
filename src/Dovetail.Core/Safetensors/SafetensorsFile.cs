using System.IO.MemoryMappedFiles;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Dovetail.Core.Safetensors;

/// <summary>
/// A safetensors file, checked when opened and mapped into memory: nothing is read before it is asked for,
/// and files over 2 GB work. Spans from it are valid until it is disposed.
/// </summary>
public sealed unsafe class SafetensorsFile : IDisposable
{
    /// <summary>The metadata entry that holds the SHA-256 of the data section, 64 lower-case hexadecimal digits.</summary>
    internal const string PayloadHashKey = "payload_sha256";

    private readonly SafetensorsHeader _header;
    private readonly Dictionary<string, SafetensorsTensor> _byName;
    private readonly byte* _start;
    private readonly long _length;
    private Action? _release;

    private SafetensorsFile(byte* start, long length, Action release)
    {
        _start = start;
        (_length, _release) = (length, release);
        int headerLength = SafetensorsHeader.ReadLength(new ReadOnlySpan<byte>(start, (int)Math.Min(length, 8)), length);
        _header = SafetensorsHeader.Parse(new ReadOnlySpan<byte>(start + 8, headerLength), length);
        _byName = _header.Tensors.ToDictionary(tensor => tensor.Name, StringComparer.Ordinal);
        Tensors = _header.Tensors.FindAll(tensor => !tensor.IsPadding);
    }

    /// <summary>All tensors but padding, in file order.</summary>
    public IReadOnlyList<SafetensorsTensor> Tensors { get; }

    /// <summary>The free-form entries of <c>__metadata__</c>.</summary>
    public IReadOnlyDictionary<string, string> Metadata => _header.Metadata;

    /// <summary>File offset of the data section.</summary>
    public long DataStart => _header.DataStart;

    /// <summary>What messages call the file.</summary>
    internal string Name { get; private init; } = "The file";

    /// <summary>Bytes of the whole file.</summary>
    public long FileLength => _length;

    /// <exception cref="SafetensorsException">The file is missing, cannot be read or is not valid.</exception>
    public static SafetensorsFile Open(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        MemoryMappedFile mapped;
        long length;
        try
        {
            if (Files.SpecialFile.IsAt(path))
                throw new IOException("it is a device, a pipe or a socket, expected a file");
            using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, 1);
            length = stream.Length;
            if (length < 8)
                SafetensorsHeader.ReadLength([], length);
            mapped = MemoryMappedFile.CreateFromFile(
                stream, null, 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: false);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new SafetensorsException($"Cannot read '{path}': {error.Message}", error);
        }

        MemoryMappedViewAccessor view = mapped.CreateViewAccessor(0, length, MemoryMappedFileAccess.Read);
        byte* start = null;
        view.SafeMemoryMappedViewHandle.AcquirePointer(ref start);
        void Release()
        {
            view.SafeMemoryMappedViewHandle.ReleasePointer();
            view.Dispose();
            mapped.Dispose();
        }

        try
        {
            return new SafetensorsFile(start + view.PointerOffset, length, Release) { Name = $"'{path}'" };
        }
        catch
        {
            Release();
            throw;
        }
    }

    /// <summary>Reads a file that is already in memory; the array is pinned until disposal and must not change.</summary>
    public static SafetensorsFile FromBytes(byte[] bytes)
    {
        ArgumentNullException.ThrowIfNull(bytes);
        GCHandle pinned = GCHandle.Alloc(bytes, GCHandleType.Pinned);
        try
        {
            return new SafetensorsFile((byte*)pinned.AddrOfPinnedObject(), bytes.LongLength, pinned.Free);
        }
        catch
        {
            pinned.Free();
            throw;
        }
    }

    /// <summary>The tensor of a name, padding included; null if there is none.</summary>
    public SafetensorsTensor? Find(string name) => _byName.GetValueOrDefault(name);

    /// <exception cref="SafetensorsException">There is no such tensor.</exception>
    public SafetensorsTensor Get(string name) => Find(name)
        ?? throw new SafetensorsException($"There is no tensor of this name among the {Tensors.Count} of the file.", tensor: name);

    /// <summary>A tensor's bytes, in place. For one over 2 GB use <see cref="OpenStream"/>.</summary>
    public ReadOnlySpan<byte> Bytes(SafetensorsTensor tensor)
    {
        byte* start = Locate(tensor);
        if (tensor.ByteCount > int.MaxValue)
            throw new SafetensorsException(
                $"The tensor has {tensor.ByteCount} bytes, more than a span can hold; read it as a stream.", DataStart + tensor.Begin,
                tensor.Name);
        return new ReadOnlySpan<byte>(start, (int)tensor.ByteCount);
    }

    /// <summary>A copy of a tensor's elements.</summary>
    /// <typeparam name="T">A type of the element's size, e.g. float for F32, long for I64.</typeparam>
    public T[] ToArray<T>(SafetensorsTensor tensor)
        where T : unmanaged
    {
        byte* start = Locate(tensor);
        if (Unsafe.SizeOf<T>() * 8 != tensor.DType.BitCount())
            throw new SafetensorsException($"The elements are {tensor.DType.FileName()}, {tensor.DType.BitCount()} bits, and were asked "
                + $"for as {typeof(T).Name}.", DataStart + tensor.Begin, tensor.Name);
        long count = tensor.ByteCount / Unsafe.SizeOf<T>();
        if (count > Array.MaxLength)
            throw new SafetensorsException(
                $"The tensor has {count} elements, more than an array can hold; read it as a stream.", DataStart + tensor.Begin,
                tensor.Name);
        var elements = GC.AllocateUninitializedArray<T>((int)count);
        fixed (T* target = elements)
            Buffer.MemoryCopy(start, target, tensor.ByteCount, tensor.ByteCount);
        return elements;
    }

    /// <summary>A tensor's bytes as a read-only stream over the mapped file, of any size.</summary>
    public Stream OpenStream(SafetensorsTensor tensor) =>
        new UnmanagedMemoryStream(Locate(tensor), tensor.ByteCount);

    /// <summary>SHA-256 of the data section, 64 lower-case hexadecimal digits.</summary>
    public string ComputePayloadHash()
    {
        ObjectDisposedException.ThrowIf(_release is null, this);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        const int Chunk = 1 << 24;
        for (long at = DataStart; at < _length; at += Chunk)
            hash.AppendData(new ReadOnlySpan<byte>(_start + at, (int)Math.Min(Chunk, _length - at)));
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>Checks the data section against the hash in the metadata.</summary>
    /// <exception cref="SafetensorsException">The hash is missing or differs.</exception>
    public void VerifyPayload()
    {
        if (!Metadata.TryGetValue(PayloadHashKey, out string? expected))
            throw new SafetensorsException($"The metadata holds no {PayloadHashKey}, so the data cannot be verified. Files that Dovetail "
                + "writes have it.");
        string found = ComputePayloadHash();
        if (found != expected)
            throw new SafetensorsException($"The data section has the SHA-256 {found}, and the metadata says "
                + $"{SafetensorsException.Shorten(expected)}. The file is damaged or was edited.", DataStart);
    }

    public void Dispose()
    {
        _release?.Invoke();
        _release = null;
    }

    private byte* Locate(SafetensorsTensor tensor)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        ObjectDisposedException.ThrowIf(_release is null, this);
        if (!_byName.TryGetValue(tensor.Name, out SafetensorsTensor? own) || own != tensor)
            throw new SafetensorsException("The tensor is not from this file.", tensor: tensor.Name);
        return _start + DataStart + tensor.Begin;
    }
}
