using System.Diagnostics;
using Dovetail.Benchmarking;
using Dovetail.Core;
using Dovetail.Onnx.Layers;
using Dovetail.Onnx.Model;
using Dovetail.Onnx.Shapes;
using Dovetail.Training.Graph;
using Dovetail.Training.Graph.Operators;

namespace Dovetail.Cli.Commands.Bench;

/// <summary>The dense fp32 network in libtorch: eval mode, no gradients, as many threads.</summary>
internal sealed class TorchSubject : IBenchmarkSubject
{
    private readonly TorchInference _inference;
    private readonly Func<double> _run;

    /// <exception cref="DovetailException">libtorch cannot run the graph.</exception>
    public TorchSubject(string name, OnnxModel model, BenchmarkOptions options)
    {
        Name = name;
        if (model.Inputs is not [var input])
            throw new DovetailException($"--against libtorch: the network has {model.Inputs.Count} inputs, expected one. Compare with "
                + "onnxruntime instead.");
        if (options.Sizes.Count > 0)
            model = GraphSlicer.WithDimensions(model, options.Sizes);
        TensorInfo info = ShapeInference.Infer(model, options.Batch)[input.Name];
        if (info.Type != OnnxType.Float)
            throw new DovetailException($"--against libtorch: the network's input is {info.Type}, expected float; integer networks have no "
                + "counterpart there. Compare with onnxruntime instead.");
        long[] dimensions = [.. info.Shape.Select((_, axis) => (long)info.Size(axis, input.Name))];
        var random = new Random(options.Seed);
        var values = new float[dimensions.Aggregate(1L, (a, b) => a * b)];
        foreach (ref float element in values.AsSpan())
            element = (float)(random.NextDouble() * 2 - 1);
        long start = Stopwatch.GetTimestamp();
        try
        {
            _inference = new TorchInference(model, options.Threads);
        }
        catch (GraphException error)
        {
            throw new DovetailException($"--against libtorch: {error.Message} Compare with onnxruntime instead.", error);
        }

        LoadMilliseconds = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        _run = _inference.Timed(values, dimensions);
    }

    public string Name { get; }

    /// <summary>The graph from the model, once; libtorch's own libraries included.</summary>
    public double LoadMilliseconds { get; }

    public double Run(int lane) => _run();

    public void Dispose() => _inference.Dispose();
}
