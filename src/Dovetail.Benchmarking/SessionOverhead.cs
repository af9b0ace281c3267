using Dovetail.Onnx.Model;

namespace Dovetail.Benchmarking;

/// <summary>What a run of a session costs before any arithmetic: one node on one number.</summary>
internal static class SessionOverhead
{
    private const double Seconds = 0.05, SeparationSeconds = 0.2;

    private const int ChainNodes = 33;

    /// <returns>The median, in microseconds.</returns>
    public static double MeasureMicroseconds(BenchmarkOptions options, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        using BoundModel one = Chain(1, options);
        return Interleaving.Measure([one.Run], Seconds, cancellation)[0].MedianMicroseconds;
    }

    /// <summary>Of a session alone, without its node: what one node takes less the difference that each further one makes.</summary>
    /// <returns>By 10th percentiles, in microseconds.</returns>
    internal static double MeasureWithoutNodes(BenchmarkOptions options, CancellationToken cancellation)
    {
        using BoundModel one = Chain(1, options), many = Chain(ChainNodes, options);
        Timing[] times = Interleaving.Measure([one.Run, many.Run], SeparationSeconds, cancellation);
        double node = (times[1].P10Microseconds - times[0].P10Microseconds) / (ChainNodes - 1);
        return Math.Max(0, times[0].P10Microseconds - node);
    }

    private static BoundModel Chain(int nodes, BenchmarkOptions options)
    {
        var proto = new ModelProto
        {
            IrVersion = 8,
            Graph = new GraphProto { Name = "overhead" },
            OpsetImports = { new OperatorSetIdProto { Version = 17 } },
        };
        proto.Graph.Inputs.Add(ValueInfoProto.Tensor("X", OnnxType.Float, 1));
        proto.Graph.Outputs.Add(ValueInfoProto.Tensor("Y", OnnxType.Float, 1));
        for (int i = 0; i < nodes; i++)
            proto.Graph.Nodes.Add(new NodeProto("Neg", $"overhead{i}", [i == 0 ? "X" : $"X{i}"], [i == nodes - 1 ? "Y" : $"X{i + 1}"]));
        return new BoundModel(new OnnxModel(proto).ToBytes(), options, optimizeGraph: false); // two Negs are nothing
    }
}
