namespace Dovetail.Kernels.ChannelsLast;

/// <summary>One run over [batch, height, width, channels] to [batch, outputHeight, outputWidth, channels]; the last dimension is
/// contiguous.</summary>
internal readonly unsafe record struct WindowCall(
    nint Input, nint Output, int Batch, int Height, int Width, int OutputHeight, int OutputWidth, int Channels)
{
    /// <summary>Rows of output pixels of all images.</summary>
    public int Rows => Batch * OutputHeight;
}
