using System.Text;
using CsCheck;
using Dovetail.Core;
using Dovetail.Training.Native;

namespace Dovetail.Training.Tests.Native;

// None of these tests loads Torch: they work on the file's bytes.
public sealed class LibTorchSharpPatchTests
{
    private static readonly string Original = NativeFiles.Find("libLibTorchSharp.so");

    [Fact]
    public void The_patched_library_no_longer_asks_for_the_version()
    {
        byte[] before = File.ReadAllBytes(Original), after = LibTorchSharpPatch.Apply(before, "library");
        Assert.Equal(before.Length, after.Length);
        Assert.InRange(before.Zip(after).Count(pair => pair.First != pair.Second), 1, 8);
        ElfFile old = new(before, "old"), patched = new(after, "new");
        ElfFile.NeededVersion entry = patched.NeededVersions().Single(n => n.Version == LibTorchSharpPatch.Version);
        Assert.Equal(2, entry.Flags & 2);
        Assert.DoesNotContain(Enumerable.Range(0, patched.SymbolCount), i => patched.SymbolVersion(i) == entry.Index);
        // one import changed its name, nothing else did
        string[] names = Names(old), newNames = Names(patched);
        int changed = Assert.Single(Enumerable.Range(0, names.Length), i => names[i] != newNames[i]);
        Assert.Equal(LibTorchSharpPatch.Initializer, names[changed]);
        Assert.Equal("_ZNSt6chrono3_V212steady_clock3nowEv", newNames[changed]);
    }

    [Fact]
    public void A_patched_library_is_left_as_it_is()
    {
        byte[] patched = LibTorchSharpPatch.Apply(File.ReadAllBytes(Original), "library");
        Assert.Same(patched, LibTorchSharpPatch.Apply(patched, "library"));
    }

    [Fact]
    public void A_library_that_does_not_need_the_version_is_left_as_it_is()
    {
        byte[] other = File.ReadAllBytes(NativeFiles.Find("libonnxruntime.so"));
        Assert.Same(other, LibTorchSharpPatch.Apply(other, "libonnxruntime.so"));
    }

    [Fact]
    public void System_libraries_are_read_and_left_as_they_are()
    {
        foreach (string path in SystemLibraries())
        {
            byte[] bytes = File.ReadAllBytes(path);
            Assert.Same(bytes, LibTorchSharpPatch.Apply(bytes, path));
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("This is a text, and a rather long one, so that it has more bytes than an ELF header needs.")]
    [InlineData("\u0089PNG\r\n\u001a\n and then the rest of a picture that goes on and on until it has enough bytes.")]
    public void A_file_of_another_kind_is_refused(string content)
    {
        var error = Assert.Throws<NativeLibraryException>(() => LibTorchSharpPatch.Apply(Encoding.Latin1.GetBytes(content), "some.file"));
        Assert.StartsWith("some.file is not the shared library that was expected: it ", error.Message);
    }

    [Fact]
    public void A_file_cut_short_is_refused_at_every_length()
    {
        byte[] bytes = File.ReadAllBytes(Original);
        var lengths = Enumerable.Range(0, 200).Concat(Enumerable.Range(1, 400).Select(i => (int)((long)bytes.Length * i / 401)))
            .Append(bytes.Length - 1);
        foreach (int length in lengths)
            Assert.ThrowsAny<DovetailException>(() => LibTorchSharpPatch.Apply(bytes[..length], "cut.so"));
    }

    [Fact]
    public void A_damaged_header_or_table_gives_a_clear_error_or_a_library_of_the_same_size()
    {
        byte[] bytes = File.ReadAllBytes(Original);
        int table = (int)BitConverter.ToInt64(bytes, 40);
        int tables = bytes.Length - table;
        // the ELF header, the section headers, and .gnu.version_r, whose chain could run in a circle
        int needs = new ElfFile(bytes, "library").NeededVersions()[0].FlagsOffset - 20;
        Gen<int> place = Gen.OneOf(Gen.Int[0, 63], Gen.Int[table, table + tables - 1], Gen.Int[needs, needs + 0x20f]);
        Gen.Select(place, Gen.Byte).Sample(
            (at, value) =>
            {
                var damaged = (byte[])bytes.Clone();
                damaged[at] = value;
                try
                {
                    Assert.Equal(bytes.Length, LibTorchSharpPatch.Apply(damaged, "damaged.so").Length);
                }
                catch (NativeLibraryException error)
                {
                    Assert.StartsWith("damaged.so ", error.Message);
                }
            },
            iter: 300, threads: 1, seed: "0000KOIPe036");
    }

    [Fact]
    public void Another_symbol_at_the_version_is_refused()
    {
        byte[] bytes = File.ReadAllBytes(Original);
        var elf = new ElfFile(bytes, "library");
        ushort index = elf.NeededVersions().Single(n => n.Version == LibTorchSharpPatch.Version).Index;
        int other = Enumerable.Range(1, elf.SymbolCount - 1)
            .First(i => elf.IsImported(i) && elf.SymbolName(i).StartsWith("_ZNSt", StringComparison.Ordinal));
        bytes[elf.VersionOffset(other)] = (byte)index;
        var error = Assert.Throws<NativeLibraryException>(() => LibTorchSharpPatch.Apply(bytes, "library"));
        Assert.Contains(
            $"it asks for {elf.SymbolName(other)} at GLIBCXX_3.4.32, expected only _ZSt21ios_base_library_initv", error.Message);
    }

    private static string[] Names(ElfFile elf) => [.. Enumerable.Range(0, elf.SymbolCount).Select(elf.SymbolName)];

    // libstdc++ and libz: whatever of them this process or the system has.
    private static List<string> SystemLibraries()
    {
        var found = File.ReadLines("/proc/self/maps")
            .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries).ElementAtOrDefault(5))
            .Where(path => path is not null
                && (path.Contains("libstdc++", StringComparison.Ordinal) || path.Contains("/libc.so", StringComparison.Ordinal)))
            .Select(path => path!).Distinct().ToList();
        Assert.NotEmpty(found);
        return found;
    }
}
