using System.Runtime.InteropServices;

namespace Dovetail.Benchmarks;

/// <summary>glibc's allocator, which ONNX Runtime's and our unmanaged buffers come from.</summary>
internal static partial class NativeHeap
{
    /// <summary>Bytes handed out and not freed, in all arenas; null where there is no glibc of 2.33 or newer.</summary>
    public static long? BytesInUse
    {
        get
        {
            try
            {
                AllocatorState state = ReadState();
                return (long)(state.BytesInUse + state.BytesOfMappedBlocks);
            }
            catch (Exception error) when (error is EntryPointNotFoundException or DllNotFoundException)
            {
                return null;
            }
        }
    }

    /// <summary>Gives free pages back to the system, so that the resident set shows what is used.</summary>
    public static void Trim()
    {
        if (BytesInUse is not null)
            _ = TrimTo(0);
    }

    [LibraryImport("libc", EntryPoint = "mallinfo2")]
    private static partial AllocatorState ReadState();

    [LibraryImport("libc", EntryPoint = "malloc_trim")]
    private static partial int TrimTo(nuint padBytes);

    /// <summary><c>struct mallinfo2</c> of malloc.h.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private readonly struct AllocatorState
    {
        public readonly nuint ArenaBytes, FreeBlocks, FastBlocks, MappedBlocks, BytesOfMappedBlocks, Unused, FreeFastBytes, BytesInUse,
            FreeBytes, TrimmableBytes;
    }
}
