namespace Dovetail.Accelerator.Cost;

/// <summary>Bytes between DRAM and the buffers. Output bytes are the finished uint8 outputs and, where partial sums do not fit, their way
/// out and back.</summary>
public sealed record DramTraffic(long IfmapBytes, long FilterBytes, long OfmapBytes)
{
    public long TotalBytes => IfmapBytes + FilterBytes + OfmapBytes;

    public static DramTraffic operator +(DramTraffic a, DramTraffic b) =>
        new(a.IfmapBytes + b.IfmapBytes, a.FilterBytes + b.FilterBytes, a.OfmapBytes + b.OfmapBytes);
}
