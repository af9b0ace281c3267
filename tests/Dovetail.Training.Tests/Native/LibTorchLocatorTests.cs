using Dovetail.Training.Native;

namespace Dovetail.Training.Tests.Native;

public sealed class LibTorchLocatorTests : IDisposable
{
    private readonly FakeLibTorch _fake = new();

    public void Dispose() => _fake.Dispose();

    [Fact]
    public void The_first_place_that_holds_every_library_serves()
    {
        string given = Libraries("given/lib"), application = Libraries("application"), part = _fake.FolderFeed("part");
        File.WriteAllText(Path.Combine(part, "libfirst.so"), "");
        LibTorchLocator none = _fake.Locator();
        Assert.Null(none.Find());
        string restored = Restore(_fake.Package.ContentHash);
        Assert.Equal(new LibTorchLocation(restored, LibTorchOrigin.NuGet), none.Find());
        string cached = Libraries($"cache/libtorch/{_fake.Package.Id}-2.10.0");
        Assert.Equal(new LibTorchLocation(cached, LibTorchOrigin.Cache), none.Find());
        Assert.Equal(new LibTorchLocation(application, LibTorchOrigin.Application), Locator(null, part, application).Find());
        Assert.Equal(new LibTorchLocation(given, LibTorchOrigin.Variable), Locator(_fake.File("given"), application).Find());
        Assert.Equal(new LibTorchLocation(given, LibTorchOrigin.Variable), Locator(given, application).Find());
    }

    [Fact]
    public void A_restored_package_with_other_content_or_not_whole_is_passed_over()
    {
        string restored = Restore("other");
        Assert.Null(_fake.Locator().Find());
        Restore(_fake.Package.ContentHash);
        File.Delete(Path.Combine(restored, "libsecond.so"));
        Assert.Null(_fake.Locator().Find());
        File.WriteAllText(Path.Combine(_fake.Restored, _fake.Package.Id, "2.10.0", ".nupkg.metadata"), "{");
        Assert.Null(_fake.Locator().Find());
    }

    [Fact]
    public void A_given_folder_without_libtorch_is_refused()
    {
        string empty = _fake.FolderFeed("empty");
        var error = Assert.Throws<NativeLibraryException>(() => Locator(empty).Find());
        Assert.Contains($"DOVETAIL_LIBTORCH is '{empty}', where there is no libfirst.so", error.Message);
    }

    [Fact]
    public void Every_package_is_pinned_by_a_SHA_512()
    {
        Assert.Equal(4, LibTorchPackage.All.Select(package => package.Rid).Distinct().Count());
        Assert.All(LibTorchPackage.All, package => Assert.Equal(64, Convert.FromBase64String(package.ContentHash).Length));
    }

    private LibTorchLocator Locator(string? given, params string[] application) => new(_fake.Package)
    {
        Given = given,
        ApplicationFolders = application,
        CacheRoot = _fake.Cache,
        ConfigurationFolder = Path.GetDirectoryName(_fake.Cache)!,
    };

    private string Restore(string contentHash)
    {
        string folder = Path.Combine("restored", _fake.Package.Id, "2.10.0");
        string native = Libraries(Path.Combine(folder, "runtimes", _fake.Package.Rid, "native"));
        File.WriteAllText(Path.Combine(_fake.File(folder), ".nupkg.metadata"), $$"""{"version": 2, "contentHash": "{{contentHash}}"}""");
        return native;
    }

    private string Libraries(string folder)
    {
        string path = Directory.CreateDirectory(_fake.File(folder)).FullName;
        foreach (string library in _fake.Package.Libraries)
            File.WriteAllText(Path.Combine(path, library), "");
        return path;
    }
}
