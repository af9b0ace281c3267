using Dovetail.Onnx.Model;

namespace Dovetail.Runtime.OnnxRuntime.Benchmarking;

/// <summary>What a run of a session costs before any arithmetic: one node on one number.</summary>
public static class SessionOverhead
{
    private const double Seconds = 0.05;

    /// <returns>The median, in microseconds.</returns>
    public static double MeasureMicroseconds(BenchmarkOptions options, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        var proto = new ModelProto
        {
            IrVersion = 8,
            Graph = new GraphProto { Name = "overhead" },
            OpsetImports = { new OperatorSetIdProto { Version = 17 } },
        };
        proto.Graph.Inputs.Add(ValueInfoProto.Tensor("X", OnnxType.Float, 1));
        proto.Graph.Outputs.Add(ValueInfoProto.Tensor("Y", OnnxType.Float, 1));
        proto.Graph.Nodes.Add(new NodeProto("Neg", "overhead", ["X"], ["Y"]));
        using var session = new BoundModel(new OnnxModel(proto).ToBytes(), null, options);
        return Interleaving.Measure([session.Run], Seconds, cancellation)[0].MedianMicroseconds;
    }
}
