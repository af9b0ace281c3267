using System.IO.Compression;
using System.Xml.Linq;

namespace Dovetail.Packages.Tests;

public sealed class PackageContentTests
{
    /// <summary>Every package and the packages that it brings along.</summary>
    private static readonly Dictionary<string, string[]> Expected = new()
    {
        ["Dovetail.Core"] = [],
        ["Dovetail.Onnx"] = ["Dovetail.Core", "protobuf-net"],
        ["Dovetail.Kernels"] = ["Dovetail.Core", "Iced"],
        ["Dovetail.Runtime"] = ["Dovetail.Core", "Dovetail.Kernels", "Microsoft.ML.OnnxRuntime"],
        ["Dovetail.Benchmarking"] = ["Dovetail.Core", "Dovetail.Kernels", "Dovetail.Onnx", "Dovetail.Runtime"],
        ["Dovetail.Data"] = ["Dovetail.Core", "StbImageSharp"],
        ["Dovetail.Training"] = ["Dovetail.Core", "Dovetail.Data", "Dovetail.Onnx", "NuGet.Protocol", "TorchSharp"],
        ["Dovetail.Accelerator"] = ["Dovetail.Core"],
        ["Dovetail.Rtl"] = ["Dovetail.Accelerator", "Dovetail.Core"],
    };

    public static TheoryData<string> Packages => new(Expected.Keys);

    [Fact]
    public void The_feed_has_every_package_and_the_tool()
    {
        IEnumerable<string> found = Directory.EnumerateFiles(Feed.Folder, "*.nupkg").Select(path => Path.GetFileName(path)!);
        Assert.Superset(Expected.Keys.Append("dovetail").Select(name => $"{name}.{Feed.Version}.nupkg").ToHashSet(), found.ToHashSet());
    }

    [Theory]
    [MemberData(nameof(Packages))]
    public void A_package_has_its_readme_licence_documentation_and_symbols(string name)
    {
        using ZipArchive package = Open(name, "nupkg");
        string[] files = [.. package.Entries.Select(entry => entry.FullName)];
        Assert.Contains("README.md", files);
        Assert.Contains("LICENSE", files);
        Assert.Contains($"lib/net10.0/{name}.dll", files);
        Assert.Contains($"lib/net10.0/{name}.xml", files);
        using ZipArchive symbols = Open(name, "snupkg");
        Assert.NotNull(symbols.GetEntry($"lib/net10.0/{name}.pdb"));
    }

    [Theory]
    [MemberData(nameof(Packages))]
    public void A_package_brings_what_it_needs_and_nothing_else(string name)
    {
        using ZipArchive package = Open(name, "nupkg");
        using Stream stream = package.GetEntry($"{name}.nuspec")!.Open();
        XDocument nuspec = XDocument.Load(stream);
        XNamespace space = nuspec.Root!.Name.Namespace;
        string[] dependencies = [.. nuspec.Descendants(space + "dependency").Select(dependency => (string)dependency.Attribute("id")!)];
        Assert.Superset(Expected[name].ToHashSet(), dependencies.ToHashSet());
        Assert.Equal(Expected[name].Where(id => id.StartsWith("Dovetail", StringComparison.Ordinal)).Order(), dependencies.Where(
            id => id.StartsWith("Dovetail", StringComparison.Ordinal)).Order());
        Assert.DoesNotContain(dependencies, id => id.StartsWith("libtorch", StringComparison.Ordinal));
        Assert.Equal("Apache-2.0", nuspec.Descendants(space + "license").Single().Value);
    }

    private static ZipArchive Open(string name, string extension) =>
        ZipFile.OpenRead(Path.Combine(Feed.Folder, $"{name}.{Feed.Version}.{extension}"));
}
