using Dovetail.Core.Operators;
using Dovetail.Onnx.Model;
using Dovetail.Onnx.Operators;

namespace Dovetail.Onnx.Tests.Operators;

public sealed class OnnxOperatorsTests
{
    [Fact]
    public void Versions_are_those_of_ONNXs_own_list()
    {
        string path = Path.Combine(Repository.Root, "tests", "Dovetail.Onnx.Tests", "Operators", "onnx-versions.txt");
        Dictionary<string, string> official = File.ReadLines(path).Skip(1).Select(line => line.Split(' ', 2)).ToDictionary(
            words => words[0], words => words[1]);
        foreach (OnnxOperator row in Standard)
            Assert.Equal((row.Name, official[row.Name]), (row.Name, string.Join(' ', row.Versions)));
    }

    [Fact]
    public void The_page_of_operators_says_what_each_row_has() => OperatorTable.Check(
        ["operator", "versions", "from", "shape", "NHWC", "permute", "activation"],
        Standard.ToDictionary(row => row.Name, row => (string[])
        [
            row.Name, string.Join(", ", row.Versions) + (row.RemovedIn is null ? "" : " (removed)"), $"{row.From}",
            Cell(row.Shape), Cell(row.Layout), Cell(row.Channels), Cell((object?)row.Unary ?? row.Binary),
        ]));

    [Fact]
    public void What_takes_single_numbers_does_so_in_every_pass() => Assert.All(
        Standard.Where(row => row.Unary is not null), row =>
            Assert.Equal((true, true, ChannelTie.Alike), (row.Shape is not null, row.Layout?.IsElementwise, row.Channels)));

    [Theory]
    [InlineData("Softmax", 12, 11)]
    [InlineData("Softmax", 13, 13)]
    [InlineData("Softmax", 100, 13)]
    [InlineData("Add", 7, 7)]
    [InlineData("Upsample", 9, 9)]
    public void The_version_is_the_newest_that_the_operator_set_has(string name, long opset, int version) =>
        Assert.Equal(version, OnnxOperators.Get(name).VersionAt(opset));

    [Theory]
    [InlineData("Add", 6, "is known from operator set 7 on, and the model's is 6")]
    [InlineData("Gelu", 19, "is known from operator set 20 on, and the model's is 19")]
    [InlineData("Upsample", 10, "is not in operator set 10: set 10 took it out")]
    [InlineData("Add", 0, "is of domain 'ai.onnx', of which the model imports no operator set")]
    [InlineData("Nonsense", 17, "is not known")]
    public void A_version_that_is_not_understood_has_no_row_and_a_reason(string name, long opset, string reason)
    {
        var node = new NodeProto(name, "n", ["x", "x"], ["y"]);
        Assert.Null(OnnxOperators.Find(node, opset));
        Assert.Equal(reason, OnnxOperators.ReasonUnknown(node, opset));
    }

    [Fact]
    public void Domains_are_kept_apart()
    {
        Assert.NotNull(OnnxOperators.Find(new NodeProto("Relu", "n", ["x"], ["y"], "ai.onnx"), 17));
        Assert.Null(OnnxOperators.Find(new NodeProto("Relu", "n", ["x"], ["y"], "com.example"), 17));
        Assert.Null(OnnxOperators.Find(new NodeProto("PackedConv", "n", ["x"], ["y"]), 17));
        Assert.NotNull(OnnxOperators.Find(new NodeProto("PackedConv", "n", ["x"], ["y"], OperatorSet.Domain), 1));
    }

    private static IEnumerable<OnnxOperator> Standard => OnnxOperators.All.Where(row => row.Domain.Length == 0);

    private static string Cell(object? capability) => capability is null ? OperatorTable.Missing : "yes";
}
