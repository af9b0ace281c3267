using Dovetail.Benchmarking.Layers;
using Dovetail.Core.Packing;
using Dovetail.Core.Patterns;
using Dovetail.Kernels;
using Dovetail.Onnx.Model;

namespace Dovetail.Benchmarking.Costs;

/// <summary>
/// Measures a bare layer dense and packed in turn, in the layout that each wants (docs/kernels.md, "Measuring"). 10th percentiles,
/// without what a session costs around its node: a network pays that once. Of ONNX Runtime's ways to run the dense layer, the fastest
/// counts.
/// </summary>
public sealed class LayerTimer
{
    private readonly BenchmarkOptions _options;
    private readonly double _sessionMicroseconds;

    /// <param name="options">Seconds: for one side of one layer.</param>
    public LayerTimer(BenchmarkOptions options, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        _options = options;
        _sessionMicroseconds = SessionOverhead.MeasureWithoutNodes(options, cancellation);
    }

    /// <exception cref="OperatorException">A model is refused or does not run.</exception>
    public (double DenseMicroseconds, double PackedMicroseconds) Measure(
        LayerShape shape, ComplementaryPattern pattern, DType type, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(shape);
        var layer = new SyntheticLayer(shape, _options.Batch, _options.Seed);
        IEnumerable<DenseOperator> dense = type == DType.Int8
            // leaves the scaling out: no network runs it for ours
            ? DenseOperator.Quantized(shape, layer, _options.Batch).Where(way => way.Name != "MatMulInteger")
            : DenseOperator.Float(shape, layer, _options.Batch);
        double[] times = Measure(
            [(layer.Packed(layer.Pack(pattern, type)).ToBytes(), true), .. dense.Select(way => (way.Model, way.OptimizeGraph))],
            cancellation);
        return (times.Skip(1).Min(), times[0]);
    }

    /// <summary>A Transpose of one image to NCHW.</summary>
    public double MeasureTranspose(int channels, int pixels, DType type, CancellationToken cancellation = default)
    {
        var graph = new GraphProto { Name = "transpose" };
        OnnxType element = type == DType.Int8 ? OnnxType.UInt8 : OnnxType.Float;
        graph.Inputs.Add(ValueInfoProto.Tensor("X", element, _options.Batch, pixels, pixels, channels));
        graph.Outputs.Add(ValueInfoProto.Tensor("Y", element, _options.Batch, channels, pixels, pixels));
        graph.Nodes.Add(new NodeProto("Transpose", "transpose", ["X"], ["Y"]).With("perm", [0, 3, 1, 2]));
        var model = new OnnxModel(new ModelProto
        {
            IrVersion = 8,
            Graph = graph,
            OpsetImports = { new OperatorSetIdProto { Version = 17 } },
        });
        return Measure([(model.ToBytes(), true)], cancellation)[0];
    }

    private double[] Measure(IReadOnlyList<(byte[] Model, bool Optimize)> sides, CancellationToken cancellation)
    {
        var sessions = new List<BoundModel>();
        try
        {
            foreach ((byte[] model, bool optimize) in sides)
                sessions.Add(new BoundModel(model, _options, optimize));
            Timing[] times = Interleaving.Measure(
                [.. sessions.Select(session => (Func<double>)session.Run)], _options.Seconds * sides.Count, cancellation);
            // A small node takes less than what is subtracted varies by: never less than a tenth.
            return [.. times.Select(time => Math.Max(time.P10Microseconds - _sessionMicroseconds, time.P10Microseconds / 10))];
        }
        finally
        {
            sessions.ForEach(session => session.Dispose());
        }
    }
}
