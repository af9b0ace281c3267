using System.Runtime.InteropServices;

namespace Dovetail.Kernels.Selector;

/// <summary>Unmanaged memory aligned to a cache line, zeroed, freed with its owner.</summary>
internal sealed unsafe class AlignedBuffer : SafeHandle
{
    private const nuint Alignment = 64;

    public AlignedBuffer(nuint bytes) : base(0, ownsHandle: true)
    {
        Length = bytes;
        var pointer = NativeMemory.AlignedAlloc(Math.Max(bytes, 1), Alignment);
        NativeMemory.Clear(pointer, bytes);
        SetHandle((nint)pointer);
    }

    public nuint Length { get; }

    /// <exception cref="ObjectDisposedException">The memory is freed.</exception>
    public byte* Pointer
    {
        get
        {
            ObjectDisposedException.ThrowIf(IsClosed, this);
            return (byte*)handle;
        }
    }

    public override bool IsInvalid => handle == 0;

    protected override bool ReleaseHandle()
    {
        NativeMemory.AlignedFree((void*)handle);
        return true;
    }
}
