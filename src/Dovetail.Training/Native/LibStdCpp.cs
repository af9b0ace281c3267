using System.Runtime.InteropServices;

namespace Dovetail.Training.Native;

/// <summary>Asks the libstdc++ that this process uses which symbols it defines.</summary>
internal static partial class LibStdCpp
{
    /// <summary>True where the symbol exists at just this version.</summary>
    public static bool Defines(string symbol, string version)
    {
        if (!NativeLibrary.TryLoad("libstdc++.so.6", out nint library))
            throw new NativeLibraryException("libstdc++.so.6 does not load. Install the package libstdc++6.");
        return DlVersionedSymbol(library, symbol, version) != 0;
    }

    [LibraryImport("libc.so.6", EntryPoint = "dlvsym", StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial nint DlVersionedSymbol(nint library, string symbol, string version);
}
