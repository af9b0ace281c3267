using System.Runtime.InteropServices;

namespace Dovetail.Kernels.MachineCode;

/// <summary>
/// Pages of machine code. They are writable first and executable afterwards, never both. Unix only.
/// </summary>
internal sealed unsafe partial class ExecutableMemory : SafeHandle
{
    private const int Read = 1, Write = 2, Execute = 4;
    private const int Private = 2;

    private readonly nuint _length;

    private ExecutableMemory(nint address, nuint length) : base(0, ownsHandle: true)
    {
        _length = length;
        SetHandle(address);
    }

    public override bool IsInvalid => handle is 0 or -1;

    public nint Address => handle;

    /// <summary>Copies code to pages of its own, or returns null where the system does not allow it.</summary>
    public static ExecutableMemory? TryCreate(ReadOnlySpan<byte> code)
    {
        try
        {
            return Create(code);
        }
        catch (Exception error) when (error is DllNotFoundException or EntryPointNotFoundException)
        {
            return null; // no C library of that name, or none with these functions
        }
    }

    private static ExecutableMemory? Create(ReadOnlySpan<byte> code)
    {
        nuint page = (nuint)Environment.SystemPageSize, length = ((nuint)code.Length + page - 1) / page * page;
        int anonymous = OperatingSystem.IsLinux() ? 0x20 : 0x1000;
        nint address = Map(0, length, Read | Write, Private | anonymous, -1, 0);
        if (address is 0 or -1)
            return null;
        var memory = new ExecutableMemory(address, length);
        code.CopyTo(new Span<byte>((void*)address, (int)length));
        if (Protect(address, length, Read | Execute) == 0)
            return memory;
        memory.Dispose();
        return null;
    }

    protected override bool ReleaseHandle() => Unmap(handle, _length) == 0;

    [LibraryImport("libc", EntryPoint = "mmap")]
    private static partial nint Map(nint address, nuint length, int protection, int flags, int file, nint offset);

    [LibraryImport("libc", EntryPoint = "mprotect")]
    private static partial int Protect(nint address, nuint length, int protection);

    [LibraryImport("libc", EntryPoint = "munmap")]
    private static partial int Unmap(nint address, nuint length);
}
