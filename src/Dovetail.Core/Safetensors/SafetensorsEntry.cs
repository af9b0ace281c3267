using System.Collections.Immutable;
using System.Runtime.InteropServices;

namespace Dovetail.Core.Safetensors;

/// <summary>A tensor to write: what it is, and how to produce its bytes when its turn comes.</summary>
/// <param name="Name">Not empty, not "__metadata__", not starting with "__pad__.".</param>
/// <param name="Shape">Empty for a scalar.</param>
/// <param name="WriteTo">Writes exactly the tensor's bytes, little-endian; called once, so that tensors can be streamed.</param>
public sealed record SafetensorsEntry(string Name, SafetensorsDType DType, ImmutableArray<long> Shape, Action<Stream> WriteTo)
{
    /// <summary>A tensor that is in memory. The memory is read when the file is written.</summary>
    public static SafetensorsEntry Of<T>(string name, SafetensorsDType type, ReadOnlySpan<long> shape, ReadOnlyMemory<T> elements)
        where T : unmanaged =>
        new(name, type, [.. shape], stream => stream.Write(MemoryMarshal.AsBytes(elements.Span)));
}
