using System.Runtime.InteropServices;

namespace Dovetail.Tests.Kernels;

/// <summary>
/// A buffer with an inaccessible page right behind it (or right before it): an access outside is a crash, not a
/// wrong number. Linux only; elsewhere an ordinary allocation.
/// </summary>
internal sealed unsafe class GuardedMemory<T> : IDisposable
    where T : unmanaged
{
    private const int PageBytes = 4096;
    private readonly byte* _mapping;
    private readonly nuint _mappedBytes;
    private readonly T* _data;

    public GuardedMemory(int length, bool guardBefore = false)
    {
        Length = length;
        nuint bytes = (nuint)length * (nuint)sizeof(T);
        nuint inner = (bytes + PageBytes - 1) / PageBytes * PageBytes;
        _mappedBytes = inner + 2 * PageBytes;
        if (OperatingSystem.IsLinux())
        {
            const int readWrite = 3, privateAnonymous = 0x22;
            nint mapped = Pages.Map(0, _mappedBytes, readWrite, privateAnonymous, -1, 0);
            Assert.NotEqual(-1, mapped);
            _mapping = (byte*)mapped;
            Assert.Equal(0, Pages.Protect(mapped, PageBytes, 0));
            Assert.Equal(0, Pages.Protect(mapped + (nint)(PageBytes + inner), PageBytes, 0));
        }
        else
        {
            _mapping = (byte*)NativeMemory.AllocZeroed(_mappedBytes);
        }

        _data = (T*)(_mapping + PageBytes + (guardBefore ? 0 : inner - bytes));
    }

    public int Length { get; }

    public Span<T> Span => new(_data, Length);

    public static GuardedMemory<T> Copy(ReadOnlySpan<T> source, bool guardBefore = false)
    {
        var memory = new GuardedMemory<T>(source.Length, guardBefore);
        source.CopyTo(memory.Span);
        return memory;
    }

    public void Dispose()
    {
        if (OperatingSystem.IsLinux())
            _ = Pages.Unmap((nint)_mapping, _mappedBytes);
        else
            NativeMemory.Free(_mapping);
    }
}

/// <summary>The calls of the C library behind <see cref="GuardedMemory{T}"/>.</summary>
internal static partial class Pages
{
    [LibraryImport("libc", EntryPoint = "mmap")]
    public static partial nint Map(nint address, nuint length, int protection, int flags, int file, nint offset);

    [LibraryImport("libc", EntryPoint = "mprotect")]
    public static partial int Protect(nint address, nuint length, int protection);

    [LibraryImport("libc", EntryPoint = "munmap")]
    public static partial int Unmap(nint address, nuint length);
}
