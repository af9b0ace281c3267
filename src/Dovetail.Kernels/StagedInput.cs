using System.Buffers;
using System.Runtime.InteropServices;

namespace Dovetail.Kernels;

/// <summary>
/// The input of one run in the form that a layer's kernel reads, where that is not the caller's. Made before the
/// first task of a run and kept until the last one has ended.
/// </summary>
internal unsafe ref struct StagedInput
{
    private const int Alignment = 64;

    private readonly byte[]? _buffer;
    private GCHandle _pin;

    private StagedInput(PreparedLayer layer, LayerCall call, long bytes)
    {
        if (bytes + Alignment > Array.MaxLength)
            throw new KernelException($"The input takes {bytes} bytes in the form that kernel {layer.KernelName} reads, expected at most "
                + $"{Array.MaxLength - Alignment}. Use smaller batches.");
        _buffer = ArrayPool<byte>.Shared.Rent((int)bytes + Alignment);
        _pin = GCHandle.Alloc(_buffer, GCHandleType.Pinned);
        var start = (byte*)((_pin.AddrOfPinnedObject() + Alignment - 1) & -Alignment);
        try
        {
            layer.Stage(call, start);
        }
        catch
        {
            Dispose();
            throw;
        }

        Call = call.WithInput(start);
    }

    private StagedInput(LayerCall call) => Call = call;

    /// <summary>The call to run tasks of.</summary>
    public LayerCall Call { get; }

    public static StagedInput Of(PreparedLayer layer, LayerCall call) =>
        layer.StagedBytes(call) is > 0 and var bytes ? new StagedInput(layer, call, bytes) : new StagedInput(call);

    public void Dispose()
    {
        if (_buffer is null)
            return;
        _pin.Free();
        ArrayPool<byte>.Shared.Return(_buffer);
    }
}
