using System.Text.RegularExpressions;
using Dovetail.Core.Workloads;
using Dovetail.Kernels.Dispatch;
using Dovetail.Kernels.Selector;
using Dovetail.Tests.Kernels;

namespace Dovetail.Kernels.Tests;

/// <summary>The registry is what docs/kernels.md says it is, and always has a kernel.</summary>
public sealed partial class KernelRegistryTests
{
    private static IReadOnlyList<string> Names =>
        [.. KernelRegistry.Float32.Select(kernel => kernel.Name), .. KernelRegistry.BFloat16Operands.Select(kernel => kernel.Name),
            .. KernelRegistry.Quantized.Select(kernel => kernel.Name)];

    [Fact]
    public void Names_follow_the_grammar_and_are_documented_in_order()
    {
        Assert.Equal(Names.Count, Names.Distinct().Count());
        Assert.All(Names, name => Assert.Matches(Grammar(), name));
        string[] documented = [.. TableRow().Matches(File.ReadAllText(Path.Combine(Repository.Root, "docs", "kernels.md")))
            .Select(match => match.Groups["name"].Value)];
        Assert.Equal(Names, documented);
    }

    [Theory]
    [InlineData("1:1")]
    [InlineData("1:16")]
    [InlineData("4:64")]
    [InlineData("1:8/out")]
    [InlineData("2:16@strided")]
    [InlineData("1:256x2")]
    public void Every_pattern_has_a_kernel(string pattern)
    {
        var layer = new LayerCase(pattern, 20, 300, PreparedLayer.RowsOf(1));
        using PreparedLayer<float> float32 = KernelRegistry.Prepare(
            new Float32Specification(RandomLayer.Float32(layer.Layout, new Random(1))));
        using PreparedLayer<byte> quantized = KernelRegistry.Prepare(
            new QuantizedSpecification(RandomLayer.Int8(layer.Layout, new Random(1)), null, 0, new float[20], 0));
        Assert.Contains(float32.KernelName, Names);
        Assert.Contains(quantized.KernelName, Names);
    }

    [Fact]
    public void A_kernel_that_cannot_run_a_layer_says_so()
    {
        var layer = new LayerCase("1:8/out", 32, 16, PreparedLayer.RowsOf(1));
        Kernel<Float32Specification, float> portable = KernelRegistry.Float32.Single(
            kernel => kernel.Name.StartsWith("select", StringComparison.Ordinal)
            && kernel.Name.EndsWith("portable", StringComparison.Ordinal));
        var error = Assert.Throws<KernelException>(
            () => portable.Prepare(new Float32Specification(RandomLayer.Float32(layer.Layout, new Random(1)))));
        Assert.Contains("does not run pattern 1:8/out", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("1:4", 64, 4, 4)] // four cells a window
    [InlineData("2:16", 64, 2, 4)] // one cell of two slots
    [InlineData("1:5", 64, 3, 5)] // three cells a window; 13 cells
    public void Small_cells_are_merged_into_a_window(string pattern, int channels, int slots, int windows)
    {
        var layer = new LayerCase(pattern, 16, channels, PreparedLayer.RowsOf(1));
        using var streams = SelectorStreams.Create(
            RandomLayer.Float32(layer.Layout, new Random(1)),
            new LaneFormat(16, 16, LoadsFullWindow: true, SlotsPerStep: 1, sizeof(float)));
        Assert.Equal((windows, slots), (streams.Shape.Windows, streams.Shape.Steps));
    }

    [Fact]
    public void Large_runs_are_split()
    {
        var geometry = new ConvolutionGeometry(30, 31, 3, 3, 1, 1, 1, 1, 1, 1);
        var layer = new LayerCase("1:16", 70, 64, geometry, Residual: false);
        var weights = RandomLayer.Float32(layer.Layout, new Random(1));
        using PreparedLayer<float> prepared = KernelRegistry.Prepare(new Float32Specification(weights));
        unsafe
        {
            Assert.True(prepared.TaskCount(new LayerCall(null, null, null, 1, geometry)) > 1, "A layer of this size is worth splitting.");
        }
    }

    [GeneratedRegex(@"^((select|ragged)-(f32|bf16|u8s8)-w\d+|(walk|broadcast)-(f32|u8s8)-any)-\d+x\d+-"
        + @"(avx512asm|avx512vnni|avx512bf16|avx512|avx512vbmi|avx2|portable|reference)$|^round-bf16-any-fp32$")]
    private static partial Regex Grammar();

    [GeneratedRegex(@"^\| `(?<name>(select|ragged|broadcast|round|walk)-[^`]+)` \|", RegexOptions.Multiline)]
    private static partial Regex TableRow();
}
