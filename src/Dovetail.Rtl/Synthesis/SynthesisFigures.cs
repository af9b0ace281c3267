namespace Dovetail.Rtl.Synthesis;

/// <summary>One array after synthesis, before layout. Areas are sums of cell areas in the library's unit (osu018: µm²).</summary>
/// <param name="Area">The top: array, skew registers and controller. Activation and weight buffers are outside.</param>
/// <param name="ArrayArea">The PEs and the lane registers of their clusters.</param>
/// <param name="SkewArea">The input skew registers.</param>
/// <param name="ControlArea">The controller with its cycle counter.</param>
/// <param name="PeArea">One PE.</param>
/// <param name="CriticalPathNanoseconds">The longest path by static timing over the library's tables, without wires.</param>
/// <param name="CriticalPath">Its cells, first to last, each with its arrival time in ns.</param>
public sealed record SynthesisFigures(
    double Area, double ArrayArea, double SkewArea, double ControlArea, double PeArea,
    double CriticalPathNanoseconds, IReadOnlyList<string> CriticalPath);

/// <summary>A complementary array beside a dense one of as many PEs, synthesised alike.</summary>
/// <param name="UsefulWorkRatio">group / keep: dense-equivalent MACs of a complementary PE per cycle.</param>
public sealed record SynthesisComparison(
    SynthesisFigures Dense, SynthesisFigures Complementary, double UsefulWorkRatio, string Library, string Method)
{
    /// <summary>Dense-equivalent throughput per area of the whole top at equal clocks, relative to dense.</summary>
    public double ThroughputPerAreaGain => UsefulWorkRatio * Dense.Area / Complementary.Area;

    /// <summary>The same for the arrays alone, as papers count it.</summary>
    public double ArrayThroughputPerAreaGain => UsefulWorkRatio * Dense.ArrayArea / Complementary.ArrayArea;

    /// <summary>Complementary over dense: above 1 the complementary array clocks slower.</summary>
    public double CriticalPathRatio => Complementary.CriticalPathNanoseconds / Dense.CriticalPathNanoseconds;
}
