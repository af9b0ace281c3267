using System.Globalization;
using Dovetail.Core.Operators;
using Dovetail.Onnx.Layers;
using Dovetail.Onnx.Model;
using Dovetail.Onnx.Passes.Unpack;

namespace Dovetail.Runtime.Tests;

/// <summary>Files that were packed long ago (Files/version-1/README.md) still load, run and unpack.</summary>
public sealed class VersionOneTests
{
    /// <param name="tolerance">Of the largest result. An input of a bf16 product may round to the other neighbour where sums have another
    /// order.</param>
    [Theory]
    [InlineData("float", 12, 1e-4f)]
    [InlineData("bfloat16", 12, 1e-2f)]
    [InlineData("int8", 8, 0)]
    public void A_file_gives_what_it_gave_when_it_was_written(string name, int size, float tolerance)
    {
        using var session = DovetailSession.Create(PathOf(name), new DovetailSessionOptions(1));
        AssertClose(Recorded(name), session.Run(Images(size), 2, 16, size, size), tolerance);
    }

    /// <summary>bf16 products become fp32 ones.</summary>
    [Theory]
    [InlineData("float", 1e-4f)]
    [InlineData("bfloat16", 2e-2f)]
    public void A_file_still_unpacks_to_standard_operators(string name, float tolerance)
    {
        OnnxModel standard = UnpackingPass.Unpack(OnnxModel.Load(PathOf(name)));
        Assert.All(standard.Nodes, node => Assert.Equal("", node.Domain));
        using var session = DovetailSession.Create(standard.ToBytes(), new DovetailSessionOptions(1));
        AssertClose(Recorded(name), session.Run(Images(12), 2, 16, 12, 12), tolerance);
    }

    [Theory]
    [InlineData("float", "clipped residual grouped hidden head")]
    [InlineData("bfloat16", "clipped residual grouped hidden head")]
    [InlineData("int8", "first hidden head")]
    public void The_layers_of_a_file_are_still_read(string name, string layers)
    {
        OnnxModel model = OnnxModel.Load(PathOf(name));
        if (name == "int8")
            model.FindNode("clipped")!.RemoveAttribute("activation"); // of which a layer record knows nothing
        Assert.Empty(
            layers.Split(' ').Except(
                PackedModelReader.Read(model).Layers.Where(layer => layer.Weights.Pattern.ToString() == "1:16")
                .Select(layer => layer.Name)));
    }

    [Fact]
    public void The_files_hold_every_operator_of_version_1() => Assert.Equal(
        OperatorSet.All.Where(schema => schema.SinceVersion == 1).Select(schema => schema.Name).Order(),
        new[] { "float", "int8" }.SelectMany(name => OnnxModel.Load(PathOf(name)).Nodes).Where(node => node.Domain == OperatorSet.Domain)
            .Select(node => node.OpType).Distinct().Order());

    private static string PathOf(string name) =>
        Path.Combine(Repository.Root, "tests", "Dovetail.Runtime.Tests", "Files", "version-1", $"{name}.onnx");

    private static float[] Recorded(string name) =>
        Array.ConvertAll(
            File.ReadAllLines(Path.ChangeExtension(PathOf(name), ".txt")), line => float.Parse(line, CultureInfo.InvariantCulture));

    private static float[] Images(int size) => [.. Enumerable.Range(0, 2 * 16 * size * size).Select(i => (i * 37 % 101 - 50) / 50f)];

    private static void AssertClose(float[] expected, float[] found, float tolerance)
    {
        Assert.Equal(expected.Length, found.Length);
        float allowed = tolerance * expected.Max(MathF.Abs);
        for (int i = 0; i < expected.Length; i++)
            Assert.True(Math.Abs(expected[i] - found[i]) <= allowed, $"[{i}] is {found[i]}, expected {expected[i]} ± {allowed}.");
    }
}
