using Dovetail.Benchmarking.Layers;
using Dovetail.Core.Workloads;

namespace Dovetail.Benchmarking.Tests;

/// <summary>Lists of layers: the committed ones against published sizes, wrong ones against their messages.</summary>
public sealed class LayerShapeFileTests
{
    private const string Header = "name,op,m,n,k,h,w,kernel,stride";

    /// <summary>
    /// Weights and multiply-accumulates as published: ResNet-50 25.50 M and 4.09 G (torchvision's model without batch norms
    /// and biases), ViT-S's 12 blocks, patches and head, and GPT-2 small's 12 blocks at 1 + 128 tokens.
    /// </summary>
    [Theory]
    [InlineData("resnet50", 54, 25_502_912, 4_089_184_256)]
    [InlineData("vit-s", 50, 12 * 12 * 384 * 384 + 768 * 384 + 384 * 1000, 12L * 12 * 384 * 384 * 197 + 196L * 768 * 384 + 384 * 1000)]
    [InlineData("gpt2-small", 96, 2 * 12 * 12 * 768 * 768, 129L * 12 * 12 * 768 * 768)]
    public void Committed_lists_are_the_networks(string name, int layers, long weights, long products)
    {
        IReadOnlyList<LayerShape> shapes = LayerShapeFile.Read(Path.Combine(Repository.Root, "bench", "shapes", name + ".csv"));
        Assert.Equal(layers, shapes.Sum(shape => shape.Count));
        Assert.Equal(weights, shapes.Sum(shape => (long)shape.Count * shape.Weights.Count));
        Assert.Equal(products, shapes.Sum(shape => shape.Count * shape.Workload.DenseMacs));
    }

    [Fact]
    public void Columns_mean_what_the_README_says()
    {
        IReadOnlyList<LayerShape> shapes = LayerShapeFile.Parse(
            ["# a comment", "", Header + ",pad,groups,count", "a,conv,8,20,27,8,9,3,2,1,1,", "b, gemm ,10,3,7,,,,,,,4",
                "p,conv,8,4,48,8,8,4,4,,,", "d,conv,6,64,9,8,8,3,1,,6,"], "list");
        Assert.Equal(new LayerWorkload("a", "Conv", 8, 20, 27, new ConvolutionGeometry(8, 9, 3, 3, 2, 2, 1, 1, 1, 1)), shapes[0].Workload);
        Assert.Equal((new LayerWorkload("b", "Gemm", 10, 3, 7), 4), (shapes[1].Workload, shapes[1].Count));
        Assert.Equal(0, shapes[2].Workload.Convolution!.PadTop); // patches
        Assert.Equal([2, 8, 8, 6], shapes[3].ChannelsLastInput(2));
        Assert.Equal([2, 6, 8, 8], shapes[3].ChannelsFirstInput(2));
        Assert.Equal([6, 7], shapes[1].ChannelsFirstInput(2));
    }

    [Theory]
    [InlineData("name,op,m,n,k", "a,gemm,1,1,1", "list(1): the header is 'name,op,m,n,k', expected name,op,m,n,k,h,w,kernel,stride, then "
        + "any of pad, groups, count.")]
    [InlineData(Header + ",colour", "a,gemm,1,1,1,,,,,", "list(1): the header")]
    [InlineData(Header, "a,gemm,1,1,1", "list(2): it has 5 fields, expected 9 as in the header.")]
    [InlineData(Header, "a,pool,1,1,1,,,,", "list(2): op is 'pool', expected conv or gemm.")]
    [InlineData(Header, "a,gemm,0,1,1,,,,", "list(2): m is '0', expected a whole number of 1 or more.")]
    [InlineData(Header, "a,gemm,1,1,9999999999,,,,", "list(2): k is '9999999999', expected a whole number")]
    [InlineData(Header, "a,gemm,1,1,1,3,,,", "list(2): a gemm has h '3', expected it empty.")]
    [InlineData(Header, "a,conv,1,1,1,1,1,,1", "list(2): kernel is empty.")]
    [InlineData(Header, "a,conv,8,10,27,8,8,3,1", "list(2): n is 10, and h, w, kernel, stride and pad make 8 × 8 = 64 output pixels.")]
    [InlineData(Header, "a,conv,8,64,26,8,8,3,1", "list(2): k is 26, expected channels · kernel², a multiple of 9.")]
    [InlineData(Header, "a,conv,8,1,121,2,2,11,11", "smaller than the kernel of 11 × 11")]
    [InlineData(Header, "# nothing", "lists no layer")]
    public void Wrong_lists_say_where(string header, string line, string says) =>
        Assert.Contains(says, Assert.Throws<BenchmarkException>(() => LayerShapeFile.Parse([header, line], "list")).Message);

    [Fact]
    public void Names_are_unique() => Assert.Contains(
        "list(3): a second layer is called 'a'",
        Assert.Throws<BenchmarkException>(() => LayerShapeFile.Parse([Header, "a,gemm,1,1,1,,,,", "a,gemm,2,1,1,,,,"], "list")).Message);
}
