using Dovetail.Accelerator.Mapping;
using Dovetail.Core.Workloads;

namespace Dovetail.Accelerator.Tests.Mapping;

public sealed class TopologyTests
{
    [Fact]
    public void Convolutions_round_their_output_size_up()
    {
        LayerWorkload layer = Assert.Single(
            Topology.Parse("Layer name, H, W, FH, FW, C, N, S,\nConv1, 224, 224, 11, 11, 3, 96, 4,\n\n", "t"));
        Assert.Equal((96, 55 * 55, 363), (layer.M, layer.N, layer.K));
        Assert.Equal(layer.N, layer.Convolution!.OutputPixels);
    }

    [Theory]
    [InlineData("Layer,M,N,K,\r\nL0,196,192,384,\r\n")]
    [InlineData("Layer,M,N,K\nL0,196,192,384")]
    [InlineData("L0,196,192,384,\n")]
    [InlineData("Layer,M,N,K,Sparsity\nL0,196,192,384,1:1\n")]
    public void Products_come_with_or_without_header_and_trailing_commas(string text)
    {
        LayerWorkload layer = Assert.Single(Topology.Parse(text, "t"));
        Assert.Equal(("L0", 192, 196, 384), (layer.Name, layer.M, layer.N, layer.K));
    }

    [Theory]
    [InlineData("", "no layers")]
    [InlineData("Layer,M,N,K\n", "no layers")]
    [InlineData("Layer,M,N,K\nL0,1,2,3\nL1,1,x,3\n", "line 3: N is 'x'")]
    [InlineData("Layer,M,N,K\nL0,1,2\n", "line 2: the line has 3 fields")]
    [InlineData("Layer,M,N,K\nL0,1,0,3\n", "line 2: N is '0'")]
    [InlineData("Layer,M,N,K\nL0,1,-2,3\n", "line 2: N is '-2'")]
    [InlineData("Layer,M,N,K\nL0,1,99999999999,3\n", "line 2: N is '99999999999'")]
    [InlineData("a,b,c\n", "line 1: the header")]
    [InlineData("L0,1,2\n", "line 1: 'L0,1,2' has 3 fields")]
    [InlineData("n,h,w,fh,fw,c,n,s\nC,8,8,9,3,1,1,1,\n", "line 2: the filter of 9×3 is larger")]
    [InlineData("n,h,w,fh,fw,c,n,s,sparsity\nC,8,8,3,3,16,16,1,2:4,\n", "line 2: the layer's sparsity is '2:4'")]
    [InlineData("n,h,w,fh,fw,c,n,s\nC,8,8,3,3,2000000,2000000,1,\n", "more than a layer may have")]
    public void A_malformed_file_is_named_with_its_line(string text, string message)
    {
        var error = Assert.Throws<AcceleratorException>(() => Topology.Parse(text, "file.csv"));
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
        Assert.Contains("file.csv", error.Message, StringComparison.Ordinal);
        Assert.Contains("xpected", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_missing_file_is_named()
    {
        var error = Assert.Throws<AcceleratorException>(() => Topology.Load("/no/such/topology.csv"));
        Assert.Contains("/no/such/topology.csv", error.Message, StringComparison.Ordinal);
    }
}
