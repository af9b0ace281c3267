using System.Diagnostics;
using Dovetail.Core.Packing;
using Dovetail.Core.Workloads;
using Dovetail.Runtime.Kernels;
using Dovetail.Runtime.Kernels.Dispatch;

namespace Dovetail.Runtime.OnnxRuntime.Benchmarking.Layers;

/// <summary>
/// A layer with bfloat16 operands called without a session, as the operators of ai.dovetail take fp32 and int8: its times
/// lack a session's own microsecond.
/// </summary>
internal sealed class DirectLayer : IDisposable
{
    private readonly PreparedLayer<float> _layer;
    private readonly ConvolutionGeometry _geometry;
    private readonly int _images;
    private readonly float[] _input, _output;

    public DirectLayer(LayerShape shape, PackedTensor weights, int batch, int seed)
    {
        _layer = KernelRegistry.Prepare(KernelNames.WithBFloat16Operands(weights));
        _geometry = shape.Workload.Convolution ?? PreparedLayer.RowsOf(batch * shape.Workload.N);
        _images = shape.Workload.Convolution is null ? 1 : batch;
        var random = new Random(seed);
        _input = GC.AllocateUninitializedArray<float>((int)shape.ChannelsLastInput(batch).Aggregate(1L, (a, b) => a * b), pinned: true);
        foreach (ref float element in _input.AsSpan())
            element = (float)(random.NextDouble() * 2 - 1);
        _output = GC.AllocateUninitializedArray<float>(_images * _geometry.OutputPixels * shape.Workload.M, pinned: true);
    }

    /// <summary>Runs once; returns the microseconds it took.</summary>
    public double Run()
    {
        long start = Stopwatch.GetTimestamp();
        _layer.Run(_input, _images, _geometry, _output);
        return Stopwatch.GetElapsedTime(start).TotalMicroseconds;
    }

    /// <summary>The output for an input [batch, H, W, C].</summary>
    public float[] Run(float[] input)
    {
        var output = new float[_output.Length];
        _layer.Run(input, _images, _geometry, output);
        return output;
    }

    public void Dispose() => _layer.Dispose();
}
