using System.Buffers.Binary;
using System.Text;

namespace Dovetail.Training.Native;

/// <summary>
/// The dynamic symbols and required versions of an ELF-64 little-endian shared library, read from its
/// section headers. Every offset is checked against the file's length before it is used.
/// Source: System V ABI, "Object Files"; LSB Core 5.0, "Symbol Versioning".
/// </summary>
internal sealed class ElfFile
{
    private const uint DynamicSymbols = 11, VersionNeeds = 0x6ffffffe, VersionSymbols = 0x6fffffff;
    private const int HeaderSize = 64, SectionHeaderSize = 64, SymbolSize = 24, NeedSize = 16;

    private readonly byte[] _bytes;
    private readonly string _name;
    private readonly Section _symbols, _strings, _versions, _needs;

    /// <param name="bytes">The whole file.</param>
    /// <param name="name">What messages call it.</param>
    /// <exception cref="NativeLibraryException">The file is not such a library, or an offset leaves it.</exception>
    public ElfFile(byte[] bytes, string name)
    {
        (_bytes, _name) = (bytes, name);
        if (bytes.Length < HeaderSize)
            throw Bad($"it has {bytes.Length} bytes, fewer than an ELF header's {HeaderSize}");
        if (!bytes.AsSpan(0, 4).SequenceEqual("\u007fELF"u8))
            throw Bad($"it starts with the bytes {Convert.ToHexString(bytes, 0, 4)}, not with ELF's 7F454C46");
        if (bytes[4] != 2 || bytes[5] != 1)
            throw Bad($"its ELF class is {bytes[4]} and its byte order {bytes[5]}, expected 2 (64 bits) and 1 (little-endian)");
        if (U16(16) != 3)
            throw Bad($"its ELF type is {U16(16)}, expected 3 (shared library)");
        long table = I64(40);
        int count = U16(60);
        if (U16(58) != SectionHeaderSize)
            throw Bad($"its section headers have {U16(58)} bytes, expected {SectionHeaderSize}");
        Check(table, (long)count * SectionHeaderSize, "section header table");

        var found = new Dictionary<uint, (Section Section, int Link)>();
        for (int i = 0; i < count; i++)
        {
            int at = (int)table + i * SectionHeaderSize;
            uint type = U32(at + 4);
            if (type is DynamicSymbols or VersionNeeds or VersionSymbols
                && !found.TryAdd(type, (SectionAt(at), (int)U32(at + 40))))
                throw Bad($"it has more than one section of type 0x{type:x}");
        }

        _symbols = Find(found, DynamicSymbols, "dynamic symbols (.dynsym)").Section;
        _versions = Find(found, VersionSymbols, "symbol versions (.gnu.version)").Section;
        _needs = Find(found, VersionNeeds, "required versions (.gnu.version_r)").Section;
        int link = found[DynamicSymbols].Link;
        if (link <= 0 || link >= count || found[VersionNeeds].Link != link)
            throw Bad($".dynsym and .gnu.version_r name the string tables {link} and {found[VersionNeeds].Link}, expected the same one of "
                + $"{count} sections");
        _strings = SectionAt((int)table + link * SectionHeaderSize);
        if (_symbols.Size % SymbolSize != 0)
            throw Bad($".dynsym has {_symbols.Size} bytes, not a multiple of {SymbolSize}");
        SymbolCount = _symbols.Size / SymbolSize;
        if (_versions.Size != 2 * SymbolCount)
            throw Bad($".gnu.version has {_versions.Size} bytes, expected 2 for each of {SymbolCount} symbols");
    }

    public int SymbolCount { get; }

    public string SymbolName(int symbol) => Text(U32(NameOffset(symbol)));

    /// <summary>True where the symbol is imported from another library.</summary>
    public bool IsImported(int symbol) => U16(_symbols.Offset + symbol * SymbolSize + 6) == 0;

    /// <summary>The version entry of a symbol, without its hidden bit.</summary>
    public ushort SymbolVersion(int symbol) => (ushort)(U16(VersionOffset(symbol)) & 0x7fff);

    /// <summary>File offset of a symbol's st_name (4 bytes).</summary>
    public int NameOffset(int symbol) => _symbols.Offset + symbol * SymbolSize;

    /// <summary>File offset of a symbol's entry in .gnu.version (2 bytes).</summary>
    public int VersionOffset(int symbol) => _versions.Offset + symbol * 2;

    /// <summary>The versions that this library asks other libraries for.</summary>
    public List<NeededVersion> NeededVersions()
    {
        var needed = new List<NeededVersion>();
        int limit = _needs.Size / NeedSize; // entries that fit: also bounds a chain that runs in a circle
        int need = 0, seen = 0;
        while (true)
        {
            CheckNeed(need);
            string library = Text(U32(_needs.Offset + need + 4));
            int count = U16(_needs.Offset + need + 2);
            long entry = need + (long)U32(_needs.Offset + need + 8);
            for (int i = 0; i < count; i++)
            {
                if (++seen > limit)
                    throw Bad(".gnu.version_r holds more entries than it has room for");
                CheckNeed(entry);
                int at = _needs.Offset + (int)entry;
                needed.Add(new NeededVersion(library, Text(U32(at + 8)), U16(at + 6), U16(at + 4), at + 4));
                entry += U32(at + 12);
            }

            uint next = U32(_needs.Offset + need + 12);
            if (next == 0)
                return needed;
            if (++seen > limit || next > _needs.Size)
                throw Bad(".gnu.version_r points outside itself");
            need += (int)next;
        }
    }

    /// <param name="Library">The library that should define the version.</param>
    /// <param name="Version">e.g. "GLIBCXX_3.4.32".</param>
    /// <param name="Index">What .gnu.version calls it.</param>
    /// <param name="Flags">vna_flags; bit 1 is "weak".</param>
    /// <param name="FlagsOffset">File offset of the flags (2 bytes).</param>
    public sealed record NeededVersion(string Library, string Version, ushort Index, ushort Flags, int FlagsOffset);

    private readonly record struct Section(int Offset, int Size);

    private Section SectionAt(int header)
    {
        long offset = I64(header + 24), size = I64(header + 32);
        Check(offset, size, $"section of type 0x{U32(header + 4):x}");
        return new Section((int)offset, (int)size);
    }

    private (Section Section, int Link) Find(Dictionary<uint, (Section, int)> found, uint type, string what) =>
        found.TryGetValue(type, out (Section, int) section) ? section : throw Bad($"it has no {what}");

    private void CheckNeed(long offset)
    {
        if (offset < 0 || offset + NeedSize > _needs.Size)
            throw Bad(".gnu.version_r points outside itself");
    }

    private string Text(uint offset)
    {
        if (offset >= _strings.Size)
            throw Bad($"a name lies at {offset} of a string table of {_strings.Size} bytes");
        ReadOnlySpan<byte> rest = _bytes.AsSpan(_strings.Offset + (int)offset, _strings.Size - (int)offset);
        int end = rest.IndexOf((byte)0);
        return end < 0 ? throw Bad("its string table does not end in a zero") : Encoding.UTF8.GetString(rest[..end]);
    }

    private void Check(long offset, long size, string what)
    {
        if (offset < 0 || size < 0 || offset > _bytes.Length || size > _bytes.Length - offset)
            throw Bad($"its {what} (offset {offset}, {size} bytes) ends past the file's {_bytes.Length} bytes; the file is cut short or "
                + "damaged");
    }

    private ushort U16(int at) => BinaryPrimitives.ReadUInt16LittleEndian(_bytes.AsSpan(at));

    private uint U32(int at) => BinaryPrimitives.ReadUInt32LittleEndian(_bytes.AsSpan(at));

    private long I64(int at) => BinaryPrimitives.ReadInt64LittleEndian(_bytes.AsSpan(at));

    private NativeLibraryException Bad(string found) =>
        new($"{_name} is not the shared library that was expected: {found}. Restore the NuGet packages again (delete the package's folder "
            + "in the NuGet cache, then build).");
}
