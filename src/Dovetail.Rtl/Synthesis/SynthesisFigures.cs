using Dovetail.Accelerator.Config;

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
/// <param name="Config">The complementary array; the dense one has its rows, columns and clusters.</param>
/// <param name="UsefulWorkRatio">group / keep: dense-equivalent MACs of a complementary PE per cycle.</param>
public sealed record SynthesisComparison(
    ArrayConfig Config, SynthesisFigures Dense, SynthesisFigures Complementary, double UsefulWorkRatio, string Library, string Method)
{
    /// <summary>What areas are in: Liberty files do not say, those of OSU are in µm².</summary>
    public string AreaUnit => Library.StartsWith("osu0", StringComparison.Ordinal) ? "µm²" : "the library's unit";

    /// <summary>
    /// Areas of the parts, and what the arrays hold: multipliers, and bits of registers for weights, owners and lanes. Memories for
    /// weights and activations are outside, in both.
    /// </summary>
    public IReadOnlyList<ArrayComponent> Components
    {
        get
        {
            int pes = Config.PeCount, registers = Config.Rows * Config.Clusters;
            return
            [
                new("one PE", "area", Dense.PeArea, Complementary.PeArea),
                new("skew registers", "area", Dense.SkewArea, Complementary.SkewArea),
                new("controller", "area", Dense.ControlArea, Complementary.ControlArea),
                new("multipliers", "count", pes, pes),
                new("weight registers", "bits", pes * Config.WeightBits, pes * Config.WeightBits),
                new("owner registers", "bits", 0, pes * Config.Pattern.IndexBits),
                new("lane registers", "bits", registers * Config.ActivationBits, registers * Config.Lanes * Config.ActivationBits),
                new("weights of the dense matrix they stand for", "count", pes, pes * UsefulWorkRatio),
            ];
        }
    }

    /// <summary>Dense-equivalent throughput per area of the whole top at equal clocks, relative to dense.</summary>
    public double ThroughputPerAreaGain => UsefulWorkRatio * Dense.Area / Complementary.Area;

    /// <summary>The same for the arrays alone, as papers count it.</summary>
    public double ArrayThroughputPerAreaGain => UsefulWorkRatio * Dense.ArrayArea / Complementary.ArrayArea;

    /// <summary>Complementary over dense: above 1 the complementary array clocks slower.</summary>
    public double CriticalPathRatio => Complementary.CriticalPathNanoseconds / Dense.CriticalPathNanoseconds;
}
