using System.Runtime.InteropServices;

namespace Dovetail.Core.Files;

/// <summary>Tells devices and pipes, which are written to, from files, which may be replaced. .NET does not say.</summary>
internal static unsafe class SpecialFile
{
    // struct statx of linux/stat.h: stx_mode is the 16-bit number at offset 28, the same on every architecture.
    private const int StatxBytes = 256, ModeOffset = 28, CurrentFolder = -100;
    private const uint WantType = 1;
    private const int TypeMask = 0xF000, RegularFile = 0x8000;

    /// <summary>True for what is there and neither a file nor a folder; links are followed. False where the system cannot be
    /// asked.</summary>
    public static bool IsAt(string path)
    {
        if (!OperatingSystem.IsLinux() || !File.Exists(path))
            return false;
        byte* status = stackalloc byte[StatxBytes];
        try
        {
            return statx(CurrentFolder, path, 0, WantType, status) == 0 && (*(ushort*)(status + ModeOffset) & TypeMask) != RegularFile;
        }
        catch (Exception error) when (error is DllNotFoundException or EntryPointNotFoundException)
        {
            return false;
        }
    }

    [DllImport("libc", BestFitMapping = false, ThrowOnUnmappableChar = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int statx(int folder, [MarshalAs(UnmanagedType.LPUTF8Str)] string path, int flags, uint mask, byte* status);
}
