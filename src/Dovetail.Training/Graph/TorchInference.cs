using System.Diagnostics;
using Dovetail.Onnx.Model;
using Dovetail.Training.Graph.Operators;
using Dovetail.Training.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace Dovetail.Training.Graph;

/// <summary>A dense fp32 ONNX graph as libtorch runs it, for comparisons: eval mode, no gradients.</summary>
public sealed class TorchInference : IDisposable
{
    private readonly TrainableGraph _graph;

    /// <param name="model">One float input, one output.</param>
    /// <param name="threads">Threads of an operation; of the whole process, as libtorch has it.</param>
    /// <exception cref="GraphException">The graph has an operator that libtorch is not taught here, or weights other than
    /// float.</exception>
    public TorchInference(OnnxModel model, int threads)
    {
        TorchRuntime.EnsureLoaded();
        set_num_threads(threads);
        _graph = new TrainableGraph(model);
    }

    /// <summary>The output for one input.</summary>
    public float[] Run(float[] input, params long[] dimensions)
    {
        using IDisposable noGradient = no_grad();
        using DisposeScope scope = NewDisposeScope();
        return _graph.Forward(tensor(input, dimensions), ForwardMode.Evaluation).ToFloats();
    }

    /// <summary>A function that runs once on the same input and returns the microseconds of the forward pass.</summary>
    public Func<double> Timed(float[] input, params long[] dimensions)
    {
        Tensor x = tensor(input, dimensions).DetachFromDisposeScope();
        return () =>
        {
            using IDisposable noGradient = no_grad();
            using DisposeScope scope = NewDisposeScope();
            long start = Stopwatch.GetTimestamp();
            _ = _graph.Forward(x, ForwardMode.Evaluation);
            return Stopwatch.GetElapsedTime(start).TotalMicroseconds;
        };
    }

    public void Dispose() => _graph.Dispose();
}
