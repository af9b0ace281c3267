using System.Xml.Linq;

namespace Dovetail.Cli.Tests;

/// <summary>docs/architecture.md: which project may see which, and who may use a heavy package.</summary>
public sealed class ArchitectureTests
{
    private static readonly Dictionary<string, string[]> AllowedReferences = new()
    {
        ["Dovetail.Core"] = [],
        ["Dovetail.Onnx"] = ["Dovetail.Core"],
        ["Dovetail.Kernels"] = ["Dovetail.Core"],
        ["Dovetail.Runtime"] = ["Dovetail.Core", "Dovetail.Kernels"],
        ["Dovetail.Native"] = ["Dovetail.Kernels"],
        ["Dovetail.Benchmarking"] = ["Dovetail.Core", "Dovetail.Kernels", "Dovetail.Onnx", "Dovetail.Runtime"],
        ["Dovetail.Data"] = ["Dovetail.Core"],
        ["Dovetail.Training"] = ["Dovetail.Core", "Dovetail.Data", "Dovetail.Onnx"],
        ["Dovetail.Accelerator"] = ["Dovetail.Core"],
        ["Dovetail.Rtl"] = ["Dovetail.Accelerator", "Dovetail.Core"],
        ["Dovetail.Cli"] =
        [
            "Dovetail.Accelerator", "Dovetail.Benchmarking", "Dovetail.Core", "Dovetail.Data", "Dovetail.Kernels", "Dovetail.Onnx",
            "Dovetail.Rtl", "Dovetail.Runtime", "Dovetail.Training",
        ],
    };

    private static readonly Dictionary<string, string[]> AllowedPackages = new()
    {
        ["Dovetail.Core"] = [],
        ["Dovetail.Onnx"] = ["protobuf-net"],
        ["Dovetail.Kernels"] = ["Iced"],
        ["Dovetail.Runtime"] = ["Microsoft.ML.OnnxRuntime"],
        ["Dovetail.Native"] = [],
        ["Dovetail.Benchmarking"] = [],
        ["Dovetail.Data"] = ["StbImageSharp"],
        ["Dovetail.Training"] = ["NuGet.Protocol", "TorchSharp"],
        ["Dovetail.Accelerator"] = [],
        ["Dovetail.Rtl"] = [],
        ["Dovetail.Cli"] = ["Spectre.Console", "System.CommandLine"],
    };

    public static TheoryData<string> Projects => new(Repository.SourceProjects().Select(path => Path.GetFileNameWithoutExtension(path)));

    [Fact]
    public void Every_source_project_is_known() =>
        Assert.Equal(AllowedReferences.Keys.Order(), Projects.Select(row => row.Data).Order());

    [Theory]
    [MemberData(nameof(Projects))]
    public void A_project_references_what_the_architecture_allows(string project)
    {
        string[] found = [.. Items(project, "ProjectReference").Select(include => Path.GetFileNameWithoutExtension(include))];
        Assert.Empty(found.Except(AllowedReferences[project]));
    }

    [Theory]
    [MemberData(nameof(Projects))]
    public void A_project_uses_the_packages_that_the_architecture_allows(string project) =>
        Assert.Empty(Items(project, "PackageReference").Except(AllowedPackages[project]));

    [Theory]
    [MemberData(nameof(Projects))]
    public void The_architecture_page_names_the_project(string project) =>
        Assert.Contains($"`{project}`", File.ReadAllText(Path.Combine(Repository.Root, "docs", "architecture.md")));

    private static IEnumerable<string> Items(string project, string element) =>
        XDocument.Load(Path.Combine(Repository.Root, "src", project, project + ".csproj"))
            .Descendants(element)
            .Select(item => item.Attribute("Include")!.Value);
}
