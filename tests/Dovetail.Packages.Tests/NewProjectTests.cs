namespace Dovetail.Packages.Tests;

/// <summary>In an empty folder, with the feed and nothing of the repository.</summary>
public sealed class NewProjectTests
{
    private const string Program =
        """
        using Dovetail.Core.Patterns;
        using Dovetail.Onnx.Model;
        using Dovetail.Onnx.Passes.Pack;
        using Dovetail.Onnx.Zoo;
        using Dovetail.Runtime;

        OnnxModel model = ZooModels.Create("mlp", seed: 1);
        PackingResult packed = PackingPass.Pack(model, ComplementaryPattern.Dense, new PackingOptions { AllowLarger = true });
        using DovetailSession session = DovetailSession.Create(packed.Model.ToBytes()), dense = DovetailSession.Create(model.ToBytes());
        float[] image = [.. Enumerable.Range(0, 784).Select(i => i % 7 / 7f)];
        float[] logits = session.Run(image, 1, 1, 28, 28), expected = dense.Run(image, 1, 1, 28, 28);
        float difference = logits.Zip(expected, (a, b) => Math.Abs(a - b)).Max();
        Console.WriteLine($"{packed.Layers.Count(layer => layer.Pattern is not null)} layers packed, {logits.Length} logits, {(difference < 1e-4 ? "equal" : $"off by {difference}")}");
        """;

    [Fact]
    public async Task A_new_console_project_runs_a_packed_model()
    {
        using var folder = new TemporaryFolder();
        Feed.Configure(folder.Path);
        await DotnetProcess.RunAsync(folder.Path, "dotnet", "new", "console", "--name", "app", "--output", ".");
        await DotnetProcess.RunAsync(folder.Path, "dotnet", "add", "package", "Dovetail.Onnx");
        await DotnetProcess.RunAsync(folder.Path, "dotnet", "add", "package", "Dovetail.Runtime");
        File.WriteAllText(folder.File("Program.cs"), Program);
        string build = await DotnetProcess.RunAsync(folder.Path, "dotnet", "build", "-v", "minimal", "-tl:off");
        Assert.Contains("0 Warning(s)", build, StringComparison.Ordinal);
        Assert.Contains("3 layers packed, 10 logits, equal", await DotnetProcess.RunAsync(folder.Path, "dotnet", "run", "--no-build"),
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_project_with_every_package_restores_without_a_warning()
    {
        using var folder = new TemporaryFolder();
        Feed.Configure(folder.Path);
        await DotnetProcess.RunAsync(folder.Path, "dotnet", "new", "classlib", "--name", "all", "--output", ".");
        string project = File.ReadAllText(folder.File("all.csproj"));
        string references = string.Concat(PackageContentTests.Packages.Select(row => $"""<PackageReference Include="{row.Data}" Version="{Feed.Version}" />"""));
        File.WriteAllText(
            folder.File("all.csproj"),
            project.Replace("</Project>", $"<ItemGroup>{references}</ItemGroup></Project>", StringComparison.Ordinal));
        string restore = await DotnetProcess.RunAsync(folder.Path, "dotnet", "restore", "-v", "minimal", "-tl:off");
        Assert.DoesNotContain("warning", restore, StringComparison.OrdinalIgnoreCase); // NU1603 above all: a version that no source has
    }
}
