using Dovetail.Core.Workloads;

namespace Dovetail.Kernels;

/// <summary>
/// The operands of one run of a layer, checked by the caller.
/// Input: [batch, height, width, channels·groups]; residual (or null) and output: [batch, outHeight, outWidth, outputs].
/// </summary>
internal readonly unsafe struct LayerCall(void* input, void* residual, void* output, int batch, ConvolutionGeometry geometry)
{
    public readonly byte* Input = (byte*)input;
    public readonly byte* Residual = (byte*)residual;
    public readonly byte* Output = (byte*)output;
    public readonly int Batch = batch;
    public readonly ConvolutionGeometry Geometry = geometry;

    /// <summary>The same over another form of the input (<see cref="PreparedLayer.Stage"/>).</summary>
    public LayerCall WithInput(byte* staged) => new(staged, Residual, Output, Batch, Geometry);

    /// <summary>Input pixels of all images.</summary>
    public long InputPixels => (long)Batch * Geometry.InputHeight * Geometry.InputWidth;

    /// <summary>Output pixels of all images.</summary>
    public int Pixels => Batch * Geometry.OutputPixels;
}
