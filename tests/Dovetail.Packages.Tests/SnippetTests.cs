using System.Text.RegularExpressions;
using Dovetail.Accelerator.Config;
using Dovetail.Accelerator.Simulation;
using Dovetail.Core.Packing;
using Dovetail.Core.Patterns;
using Dovetail.Core.Workloads;

namespace Dovetail.Packages.Tests;

/// <summary>The code in the packages' readmes is the code below, which is compiled against the packages and run.</summary>
public sealed partial class SnippetTests
{
    [Fact]
    public void Core()
    {
        var pattern = ComplementaryPattern.Parse("1:16");
        var layout = new CellLayout(pattern, WeightShape.Matrix(outputs: 64, inputs: 128));
        float[] weights = GaussianWeights.Create(layout.Shape.Count, seed: 1);
        bool[] mask = Projection.Project(Array.ConvertAll(weights, MathF.Abs), layout);
        for (int i = 0; i < weights.Length; i++)
            weights[i] = mask[i] ? weights[i] : 0;
        PackedTensor<float> packed = Packer.Pack<float>(weights, layout);
        Console.WriteLine($"{packed.Pattern} on {packed.Shape}: {packed.ByteCount:N0} bytes instead of {4 * weights.Length:N0}");

        Assert.Equal(64 * 128 / 16 * 4 + 64 * 4, packed.ByteCount); // values, and 8 owners of 4 bits a row
        CheckReadme();
    }

    [Fact]
    public void Accelerator()
    {
        var layer = new LayerWorkload("fc", "Gemm", 512, 128, 512);
        NetworkSimulation dense = NetworkSimulation.Closed(ArrayConfig.Dense(16, 16), [layer]);
        Console.WriteLine($"{dense.TotalCycles:N0} cycles on 16×16 dense PEs");

        Assert.True(dense.TotalCycles >= 512 * 128 * 512 / 256);
        CheckReadme();
    }

    /// <summary>The statements of the calling test, up to its first empty line, are those of the readme behind its usings.</summary>
    private static void CheckReadme([System.Runtime.CompilerServices.CallerMemberName] string name = "")
    {
        string source = File.ReadAllText(Path.Combine(Repository.Root, "tests", "Dovetail.Packages.Tests", "SnippetTests.cs"));
        string body = source[(source.IndexOf($"void {name}()\n    {{\n", StringComparison.Ordinal) + $"void {name}()\n    {{\n".Length)..];
        string statements = body[..body.IndexOf("\n\n", StringComparison.Ordinal)].Replace("\n        ", "\n", StringComparison.Ordinal)
            .Trim();
        string readme = File.ReadAllText(Path.Combine(Repository.Root, "src", $"Dovetail.{name}", "README.md"));
        string code = Code().Match(readme).Groups["code"].Value;
        Assert.Equal(statements, code[(code.IndexOf("\n\n", StringComparison.Ordinal) + 2)..].Trim());
    }

    [GeneratedRegex("```csharp\n(?<code>.*?)```", RegexOptions.Singleline)]
    private static partial Regex Code();
}
