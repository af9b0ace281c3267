using Dovetail.Core.Patterns;
using Dovetail.Core.Workloads;

namespace Dovetail.Benchmarking.Layers;

/// <summary>A layer without a network around it: a line of <c>bench/shapes/*.csv</c>.</summary>
/// <param name="Workload">Its product, for one input.</param>
/// <param name="Count">How often the network that the list describes has it, ≥ 1.</param>
public sealed record LayerShape(LayerWorkload Workload, int Count = 1)
{
    /// <summary>[M, channels per convolution group, kernel height, kernel width], or [M, K].</summary>
    public WeightShape Weights { get; } = Workload.Convolution is { } g
        ? new WeightShape([Workload.M, Workload.K / g.Taps, g.KernelHeight, g.KernelWidth], g.Groups)
        : WeightShape.Matrix(Workload.M, Workload.K);

    /// <summary>What of the packed operator's input is needed: [batch, H, W, C] or [batch·N, K].</summary>
    public long[] ChannelsLastInput(int batch) => Workload.Convolution is { } g
        ? [batch, g.InputHeight, g.InputWidth, Weights.Channels * g.Groups]
        : [(long)batch * Workload.N, Workload.K];

    /// <summary>What ONNX's own operator reads: [batch, C, H, W] or [batch·N, K].</summary>
    internal long[] ChannelsFirstInput(int batch) =>
        ChannelsLastInput(batch) is [var n, var h, var w, var c] ? [n, c, h, w] : ChannelsLastInput(batch);
}
