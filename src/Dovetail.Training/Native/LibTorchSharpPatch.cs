using System.Buffers.Binary;

namespace Dovetail.Training.Native;

/// <summary>
/// Makes TorchSharp's native library load where libstdc++ is older than GCC 13's (Debian 12, Ubuntu 22.04).
/// 1. The library asks libstdc++ for the version GLIBCXX_3.4.32, which such systems lack, so the loader refuses it.
/// 2. One symbol alone is asked for at that version: std::ios_base_library_init(), which takes and returns nothing
///    and only makes sure that the standard streams exist. With an older libstdc++ the static initializers of
///    every translation unit that includes &lt;iostream&gt; do that, libtorch's among them.
/// 3. So the version's entry in .gnu.version_r gets the flag "weak" (bit 1): the loader tolerates its absence.
/// 4. The symbol's name is pointed at that of std::chrono::steady_clock::now(), which the library imports anyway
///    (no arguments, no side effects), and its entry in .gnu.version at that symbol's version.
/// Nothing is added, so no section moves; three fields (2 + 4 + 2 bytes) change.
/// </summary>
internal static class LibTorchSharpPatch
{
    public const string Version = "GLIBCXX_3.4.32";
    public const string Initializer = "_ZSt21ios_base_library_initv";
    private const string Replacement = "_ZNSt6chrono3_V212steady_clock3nowEv";
    private const ushort Weak = 2;

    /// <summary>The patched bytes; the very same array where the library does not need the version or is patched already.</summary>
    /// <param name="library">The whole file; it is not changed.</param>
    /// <param name="name">What messages call it.</param>
    /// <exception cref="NativeLibraryException">The file is not such a library, or differs from what the patch was made for.</exception>
    public static byte[] Apply(byte[] library, string name)
    {
        var elf = new ElfFile(library, name);
        var needed = elf.NeededVersions().Where(n => n.Version == Version).ToList();
        if (needed.Count == 0)
            return library;
        if (needed.Count > 1)
            throw Unexpected(name, $"it asks for {Version} in {needed.Count} entries, expected one");
        ElfFile.NeededVersion entry = needed[0];
        int? initializer = null, replacement = null;
        for (int symbol = 1; symbol < elf.SymbolCount; symbol++)
        {
            if (!elf.IsImported(symbol))
                continue;
            string symbolName = elf.SymbolName(symbol);
            if (elf.SymbolVersion(symbol) == entry.Index)
            {
                if (symbolName != Initializer)
                    throw Unexpected(name, $"it asks for {symbolName} at {Version}, expected only {Initializer}");
                initializer = symbol;
            }
            else if (symbolName == Replacement)
            {
                replacement ??= symbol;
            }
        }

        if (initializer is null)
            return (entry.Flags & Weak) != 0
                ? library
                : throw Unexpected(name, $"no symbol belongs to the version {Version} that it asks for");
        if (replacement is null)
            throw Unexpected(name, $"it does not import {Replacement}, which should stand in for {Initializer}");

        var patched = (byte[])library.Clone();
        Write16(patched, entry.FlagsOffset, (ushort)(entry.Flags | Weak));
        library.AsSpan(elf.NameOffset(replacement.Value), 4).CopyTo(patched.AsSpan(elf.NameOffset(initializer.Value)));
        library.AsSpan(elf.VersionOffset(replacement.Value), 2).CopyTo(patched.AsSpan(elf.VersionOffset(initializer.Value)));
        return patched;
    }

    private static void Write16(byte[] bytes, int at, ushort value) =>
        BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(at), value);

    private static NativeLibraryException Unexpected(string name, string found) =>
        new($"{name} cannot be adapted to this system's older libstdc++: {found}. " +
            "Use the TorchSharp version that this release was built with, or a system with GCC 13's libstdc++ (Debian 13, Ubuntu 24.04).");
}
