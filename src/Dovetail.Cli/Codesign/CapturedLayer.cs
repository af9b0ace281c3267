using Dovetail.Core.Packing;
using Dovetail.Core.Workloads;
using Dovetail.Runtime.Kernels;

namespace Dovetail.Cli.Codesign;

/// <summary>An int8 layer with what ONNX Runtime fed to it and took from it for one real image.</summary>
/// <param name="Input">uint8, [height, width, channels] for a convolution, [rows, K] for a product.</param>
/// <param name="Output">uint8, [pixels, outputs]; null where the model has no such tensor (fused away).</param>
internal sealed record CapturedLayer(PackedLayer Layer, byte[] Input, byte[]? Output)
{
    public PackedTensor<sbyte> Weights => (PackedTensor<sbyte>)Layer.Weights;

    /// <summary>As the kernels see the layer: a product over n rows is a 1×1 convolution.</summary>
    public ConvolutionGeometry Geometry => Layer.Workload.Convolution ?? PreparedLayer.RowsOf(Layer.Workload.N);
}
