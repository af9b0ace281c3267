using Dovetail.Onnx.Layers;
using Dovetail.Onnx.Passes.Pack;

namespace Dovetail.Conformance.Tests;

/// <summary>
/// ONNX's own conformance data (Debian package libonnx-testdata), packed at keep = group: every product of dense weights
/// goes through our operators and must give the reference's outputs.
/// </summary>
public sealed class ConformanceTests
{
    private const string ThreeDimensions = "a convolution over three dimensions";
    private const string ManyMatrices = "its weight is a stack of matrices, one a batch entry";

    /// <summary>Cases with a Conv, Gemm or MatMul that has no packed form, and why.</summary>
    private static readonly Dictionary<string, string> NotApplicable = new()
    {
        ["node/test_matmul_3d"] = ManyMatrices,
        ["node/test_matmul_4d"] = ManyMatrices,
        ["pytorch-converted/test_Conv3d"] = ThreeDimensions,
        ["pytorch-converted/test_Conv3d_dilated"] = ThreeDimensions,
        ["pytorch-converted/test_Conv3d_dilated_strided"] = ThreeDimensions,
        ["pytorch-converted/test_Conv3d_groups"] = ThreeDimensions,
        ["pytorch-converted/test_Conv3d_no_bias"] = ThreeDimensions,
        ["pytorch-converted/test_Conv3d_stride"] = ThreeDimensions,
        ["pytorch-converted/test_Conv3d_stride_padding"] = ThreeDimensions,
    };

    /// <summary>
    /// By family: cases that have a Conv, Gemm or MatMul, and all others (operators that are not ours, and the 1.12 data's
    /// ConvInteger, ConvTranspose, MatMulInteger, QLinearConv, QLinearMatMul and Einsum).
    /// </summary>
    private static readonly (string Family, int Products, int Others)[] Families =
        [("node", 20, 912), ("pytorch-converted", 28, 54), ("pytorch-operator", 3, 32)];

    public static TheoryData<string> Packable =>
        [.. Families.SelectMany(family => ConformanceCase.Names(family.Family)).Where(ConformanceCase.HasProduct)
            .Except(NotApplicable.Keys)];

    public static TheoryData<string> Refused => [.. NotApplicable.Keys];

    [Fact]
    public void Every_case_is_run_or_named_as_not_applicable()
    {
        foreach ((string family, int products, int others) in Families)
        {
            string[] found = [.. ConformanceCase.Names(family).Where(ConformanceCase.HasProduct)];
            Assert.Equal((products, others), (found.Length, ConformanceCase.Names(family).Count - found.Length));
            Assert.Empty(NotApplicable.Keys.Where(name => name.StartsWith(family + "/", StringComparison.Ordinal)).Except(found));
        }
    }

    [Theory]
    [MemberData(nameof(Packable))]
    public void Packed_outputs_are_those_of_the_reference(string name)
    {
        ConformanceCase test = ConformanceCase.Load(name);
        PackingResult dense = test.CheckPacked("1:1");
        Assert.All(dense.Layers, layer => Assert.Null(layer.DenseReason));
        int channels = dense.Model.Nodes.Where(PackedWeights.IsPacked).Min(node => PackedWeights.Read(dense.Model, node).Shape.Channels);
        int outputs = dense.Model.Nodes.Where(PackedWeights.IsPacked)
            .Min(node => PackedWeights.Read(dense.Model, node).Shape.OutputsPerGroup);
        foreach (int group in new[] { 2, 3, 5, 8, 16, 32, 64 })
        {
            if (group <= channels)
            {
                test.CheckPacked($"{group}:{group}");
                test.CheckPacked($"{group}:{group}@strided");
            }

            if (group <= outputs)
                test.CheckPacked($"{group}:{group}/out");
        }
    }

    [Theory]
    [MemberData(nameof(Refused))]
    public void What_has_no_packed_form_is_refused(string name)
    {
        var error = Assert.Throws<NothingPackedException>(() => ConformanceCase.Load(name).CheckPacked("1:1"));
        Assert.Contains(
            NotApplicable[name] == ThreeDimensions
                ? "convolutions over 3 dimensions have no packed operator"
                : "it has no convolution, matrix product or recurrent layer with constant weights",
            error.Message, StringComparison.Ordinal);
    }
}
