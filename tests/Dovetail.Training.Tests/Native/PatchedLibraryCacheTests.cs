using Dovetail.Training.Native;

namespace Dovetail.Training.Tests.Native;

public sealed class PatchedLibraryCacheTests : IDisposable
{
    private static readonly string Original = NativeFiles.Find("libLibTorchSharp.so");
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_system_that_is_new_enough_uses_the_original_and_writes_nothing()
    {
        PatchedLibrary library = new PatchedLibraryCache(_folder.File("cache")).Prepare(Original, systemHasVersion: true);
        Assert.Equal(new PatchedLibrary(Original, IsPatched: false, TemporaryFolder: null), library);
        Assert.Empty(Directory.EnumerateFileSystemEntries(_folder.Path));
    }

    [Fact]
    public void An_older_system_gets_a_copy_and_the_original_stays()
    {
        byte[] before = File.ReadAllBytes(Original);
        PatchedLibrary library = new PatchedLibraryCache(_folder.Path).Prepare(Original, systemHasVersion: false);
        Assert.True(library.IsPatched);
        Assert.Null(library.TemporaryFolder);
        Assert.Equal("libLibTorchSharp.so", Path.GetFileName(library.Path));
        Assert.Equal(LibTorchSharpPatch.Apply(before, "library"), File.ReadAllBytes(library.Path));
        Assert.Equal(before, File.ReadAllBytes(Original));
        Assert.Single(Directory.EnumerateFiles(_folder.Path, "*", SearchOption.AllDirectories));
    }

    [Fact]
    public void The_copy_is_used_again_and_a_damaged_one_is_replaced()
    {
        var cache = new PatchedLibraryCache(_folder.Path);
        string path = cache.Prepare(Original, systemHasVersion: false).Path;
        var longAgo = new DateTime(2001, 2, 3, 4, 5, 6, DateTimeKind.Utc);
        File.SetLastWriteTimeUtc(path, longAgo);
        Assert.Equal(path, cache.Prepare(Original, systemHasVersion: false).Path);
        Assert.Equal(longAgo, File.GetLastWriteTimeUtc(path));

        byte[] good = File.ReadAllBytes(path);
        File.WriteAllBytes(path, good[..1000]);
        Assert.Equal(path, cache.Prepare(Original, systemHasVersion: false).Path);
        Assert.Equal(good, File.ReadAllBytes(path));
    }

    [Fact]
    public void An_already_patched_original_serves_as_it_is()
    {
        string patched = new PatchedLibraryCache(_folder.File("a")).Prepare(Original, systemHasVersion: false).Path;
        Assert.Equal(new PatchedLibrary(patched, IsPatched: false, TemporaryFolder: null), new PatchedLibraryCache(_folder.File("b"))
            .Prepare(patched, systemHasVersion: false));
        Assert.False(Directory.Exists(_folder.File("b")));
    }

    [Fact]
    public void A_cache_that_cannot_be_written_falls_back_to_a_private_folder()
    {
        File.WriteAllText(_folder.File("a-file"), ""); // a file where a folder is needed: unwritable even for root
        PatchedLibrary library = new PatchedLibraryCache(_folder.File("a-file")).Prepare(Original, systemHasVersion: false);
        Assert.NotNull(library.TemporaryFolder);
        try
        {
            Assert.Equal(LibTorchSharpPatch.Apply(File.ReadAllBytes(Original), "library"), File.ReadAllBytes(library.Path));
            if (!OperatingSystem.IsWindows())
                Assert.Equal(
                    UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute,
                    File.GetUnixFileMode(library.TemporaryFolder));
        }
        finally
        {
            Directory.Delete(library.TemporaryFolder, recursive: true);
        }
    }

    [Fact]
    public void A_missing_original_is_one_clear_message()
    {
        string missing = _folder.File("libLibTorchSharp.so");
        var error = Assert.Throws<NativeLibraryException>(
            () => new PatchedLibraryCache(_folder.Path).Prepare(missing, systemHasVersion: false));
        Assert.StartsWith($"TorchSharp's native library {missing} cannot be read", error.Message);
    }

    [Fact]
    public void This_systems_libstdcpp_is_asked_for_symbols_at_versions()
    {
        Assert.True(LibStdCpp.Defines("_ZNSt6chrono3_V212steady_clock3nowEv", "GLIBCXX_3.4.19"));
        Assert.False(LibStdCpp.Defines("_ZNSt6chrono3_V212steady_clock3nowEv", "GLIBCXX_3.4.1"));
        Assert.False(LibStdCpp.Defines("no_such_symbol", "GLIBCXX_3.4.19"));
    }
}
