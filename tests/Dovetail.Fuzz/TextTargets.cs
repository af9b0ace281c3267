using System.Text;
using Dovetail.Accelerator.Config;
using Dovetail.Accelerator.Mapping;
using Dovetail.Benchmarking.Layers;

namespace Dovetail.Fuzz;

/// <summary>Lists of layers to measure.</summary>
internal sealed class ShapesTarget : FuzzTarget
{
    public override string Name => "shapes";

    public override IReadOnlyList<byte[]> Corpus { get; } =
        [
            "name,op,m,n,k,h,w,kernel,stride,pad,groups,count\na,conv,16,1024,144,32,32,3,1,1,1,2\nb,gemm,10,1,64,,,,,,,\n"u8.ToArray(),
            "name,op,m,n,k,h,w,kernel,stride\n# a remark\nc,conv,8,16,9,8,8,3,2\n"u8.ToArray(),
        ];

    public override IReadOnlyList<byte[]> Dictionary { get; } =
        [.. ((string[])["conv", "gemm", "2147483647", "65536", "-1", "0", ",", "\n", "99999999999", "1e9"]).Select(Encoding.UTF8.GetBytes)];

    public override long AllocationLimit(int length) => 256L * length + 64 * 1024;

    public override void Read(byte[] input) => LayerShapeFile.Parse(Encoding.UTF8.GetString(input).Split('\n'), "input");
}

/// <summary>Topologies for the simulator.</summary>
internal sealed class TopologyTarget : FuzzTarget
{
    public override string Name => "topology";

    public override IReadOnlyList<byte[]> Corpus { get; } =
        [
            Encoding.UTF8.GetBytes(
                "Layer, IFMAP Height, IFMAP Width, Filter Height, Filter Width, Channels, Num Filter, Strides,\n"
                + "c1, 28, 28, 3, 3, 1, 16, 1,\n"),
            "Layer, M, N, K,\ng, 4, 4, 4,\nh, 100, 10, 64\n"u8.ToArray(),
        ];

    public override IReadOnlyList<byte[]> Dictionary { get; } =
        [.. ((string[])["2147483647", "65536", "-1", "0", ",", "\n", "46341", "99999999999"]).Select(Encoding.UTF8.GetBytes)];

    public override long AllocationLimit(int length) => 256L * length + 64 * 1024;

    public override void Read(byte[] input) => Topology.Parse(Encoding.UTF8.GetString(input), "input");
}

/// <summary>Energy tables, JSON.</summary>
internal sealed class EnergyTarget : FuzzTarget
{
    public override string Name => "energy";

    public override IReadOnlyList<byte[]> Corpus { get; } =
        [
            """
            {"source": "a test", "technology": "t", "multiply_int8_picojoules": 1, "add_int32_picojoules": 2, "register_bit_picojoules": 3,
             "multiplexer_bit_picojoules": 4, "sram64_bit": [{"bytes": 64, "picojoules": 8}], "dram64_bit_picojoules": 80}
            """u8.ToArray(),
            "{}"u8.ToArray(),
        ];

    public override IReadOnlyList<byte[]> Dictionary { get; } =
        [.. ((string[])["null", "[[[[[[[[", "1e999", "\"NaN\"", "\"sram64_bit\"", "-1", "{\"bytes\":", "\\ud800"])
            .Select(Encoding.UTF8.GetBytes)];

    public override long AllocationLimit(int length) => 512L * length + 256 * 1024;

    public override void Read(byte[] input) => EnergyTable.Parse(Encoding.UTF8.GetString(input), "input");
}
