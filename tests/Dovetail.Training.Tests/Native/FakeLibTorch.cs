using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using Dovetail.Training.Native;

namespace Dovetail.Training.Tests.Native;

/// <summary>
/// A package of some hundred kilobytes in libtorch's shape, feeds that serve it, and an installer that knows nothing else.
/// </summary>
internal sealed class FakeLibTorch : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly byte[] _library = RandomNumberGenerator.GetBytes(300_000); // packs no smaller

    public FakeLibTorch()
    {
        Bytes = Pack(_library);
        Package = new LibTorchPackage(
            "test-x64", Convert.ToBase64String(SHA512.HashData(Bytes)), Bytes.Length, _library.Length, ["libfirst.so", "libsecond.so"]);
        Configure();
    }

    public LibTorchPackage Package { get; }

    /// <summary>The package, unsigned.</summary>
    public byte[] Bytes { get; }

    public string Cache => _folder.File("cache");

    public string Restored => _folder.File("restored");

    public string Part => Path.Combine(Cache, "libtorch", $"{Package.Id}-{LibTorchPackage.Version}.nupkg.part");

    public string File(string name) => _folder.File(name);

    public void Dispose() => _folder.Dispose();

    /// <summary>Writes a NuGet.Config that names these sources and no other.</summary>
    public void Configure(string rest = "", params (string Name, string Source)[] sources)
    {
        bool maps = rest.Contains("packageSourceMapping", StringComparison.Ordinal);
        IEnumerable<string> added = sources.Select(source =>
            $"""<add key="{source.Name}" value="{source.Source}" allowInsecureConnections="true" />""");
        System.IO.File.WriteAllText(_folder.File("NuGet.Config"),
            $"""
            <configuration>
              <config><add key="globalPackagesFolder" value="{Restored}" /></config>
              <packageSources><clear />{string.Concat(added)}</packageSources>
              <fallbackPackageFolders><clear /></fallbackPackageFolders>
              {(maps ? "" : "<packageSourceMapping><clear /></packageSourceMapping>")}
              {rest}
            </configuration>
            """);
    }

    /// <summary>A folder with packages in it; returns its path.</summary>
    public string FolderFeed(string name, byte[]? package = null)
    {
        string path = Directory.CreateDirectory(_folder.File(name)).FullName;
        if (package is not null)
            System.IO.File.WriteAllBytes(Path.Combine(path, $"{Package.Id}.{LibTorchPackage.Version}.nupkg"), package);
        return path;
    }

    /// <summary>The address of a feed of version 3; its index is the server's next reply. Each has another, for NuGet keeps them.</summary>
    public static string HttpFeed(LoopbackServer server)
    {
        server.ThenIndex();
        return new Uri(server.Address, $"/{Guid.NewGuid():N}/index.json").ToString();
    }

    public LibTorchLocator Locator() => new(Package)
    {
        Given = null,
        ApplicationFolders = [],
        CacheRoot = Cache,
        ConfigurationFolder = _folder.Path,
    };

    public LibTorchInstaller Installer() => new(Package, Locator()) { Pause = TimeSpan.FromMilliseconds(1) };

    /// <summary>The library in a folder is the package's, and the licence is beside it.</summary>
    public void CheckInstalled(LibTorchLocation location)
    {
        Assert.Equal(["LICENSE-LIBTORCH.txt", "libfirst.so", "libsecond.so"], Names(location.Folder));
        Assert.Equal(_library, System.IO.File.ReadAllBytes(Path.Combine(location.Folder, "libfirst.so")));
        string name = Path.GetFileName(location.Folder);
        Assert.Equal([name, name + ".lock"], Names(Path.GetDirectoryName(location.Folder)!));

        static IEnumerable<string?> Names(string folder) =>
            Directory.EnumerateFileSystemEntries(folder).Select(Path.GetFileName).Order(StringComparer.Ordinal);
    }

    /// <summary>A package in the same shape with another library.</summary>
    public static byte[] Pack(byte[] library)
    {
        using var bytes = new MemoryStream();
        using (var archive = new ZipArchive(bytes, ZipArchiveMode.Create, leaveOpen: true))
        {
            Add("libtorch-cpu-test-x64.nuspec", Encoding.UTF8.GetBytes(
                $"""
                <package><metadata>
                  <id>libtorch-cpu-test-x64</id><version>{LibTorchPackage.Version}</version>
                  <authors>test</authors><description>test</description>
                </metadata></package>
                """));
            Add("LICENSE-LIBTORCH.txt", "free"u8);
            Add("runtimes/test-x64/native/libfirst.so", library);
            Add("runtimes/test-x64/native/libsecond.so", "second"u8);
            Add("runtimes/other-x64/native/libother.so", "other"u8);
            Add("../outside.so", "outside"u8);

            void Add(string name, ReadOnlySpan<byte> content)
            {
                using Stream entry = archive.CreateEntry(name).Open();
                entry.Write(content);
            }
        }

        return bytes.ToArray();
    }
}
