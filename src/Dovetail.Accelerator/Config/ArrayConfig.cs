using Dovetail.Core.Patterns;

namespace Dovetail.Accelerator.Config;

/// <summary>
/// A systolic array and the memories around it: the one parameter object of the simulators, the cost
/// model and the RTL generator. Make one with <see cref="Dense"/> or <see cref="Complementary"/>, vary it
/// by <c>with</c>; <see cref="Validated"/> checks what its fields say together, and everything that
/// takes a configuration calls it.
/// </summary>
public sealed record ArrayConfig
{
    public const int MaxSide = 4096;

    /// <summary>Array rows, R: packed slots of a fold.</summary>
    public required int Rows { get; init; }

    /// <summary>Array columns, C: outputs of a fold.</summary>
    public required int Columns { get; init; }

    public Dataflow Dataflow { get; init; } = Dataflow.WeightStationary;

    /// <summary>The widest pattern that the PEs select by: an array row has <c>group </c> activation lanes. "1:1" is the dense
    /// array.</summary>
    public ComplementaryPattern Pattern { get; init; } = ComplementaryPattern.Dense;

    /// <summary>PEs of an array row that share registered lanes; the lanes move one cluster per cycle.</summary>
    public int ClusterColumns { get; init; } = 1;

    /// <summary>A PE registers the operand it selected and multiplies in the next cycle.</summary>
    public bool RegisteredSelection { get; init; }

    public int ActivationBits { get; init; } = 8;

    public int WeightBits { get; init; } = 8;

    public int AccumulatorBits { get; init; } = 32;

    /// <summary>Bytes of the input buffer; half of it serves the array while the other half is filled.</summary>
    public int IfmapSramBytes { get; init; } = 256 * 1024;

    /// <summary>Bytes of the weight buffer, values and owners; double-buffered as well.</summary>
    public int FilterSramBytes { get; init; } = 256 * 1024;

    /// <summary>Bytes of the output buffer, which holds partial sums; double-buffered as well.</summary>
    public int OfmapSramBytes { get; init; } = 256 * 1024;

    /// <summary>Banks of each buffer: an access costs the energy of one bank.</summary>
    public int SramBanks { get; init; } = 8;

    public double DramBytesPerCycle { get; init; } = 16;

    public double ClockMegahertz { get; init; } = 500;

    /// <summary>Energy per event and the technology it was published for.</summary>
    public EnergyTable Energy { get; init; } = EnergyTable.Default;

    /// <summary>Lanes of an array row: the group of the pattern.</summary>
    public int Lanes => Pattern.Group;

    public int PeCount => Rows * Columns;

    /// <summary>Clusters of an array row, ⌈C / ClusterColumns⌉; the last may be narrower.</summary>
    public int Clusters => (Columns + ClusterColumns - 1) / ClusterColumns;

    /// <summary>S of the timing contract: 1 with registered selection, else 0.</summary>
    public int SelectionLatencyCycles => RegisteredSelection ? 1 : 0;

    /// <summary>The reference array: one lane a row, registered in every PE, as SCALE-Sim's.</summary>
    public static ArrayConfig Dense(int rows, int columns) => new ArrayConfig { Rows = rows, Columns = columns }.Validated();

    /// <summary>The default complementary array: lanes registered per 1×4 cluster, selected operand registered.</summary>
    public static ArrayConfig Complementary(int rows, int columns, ComplementaryPattern pattern) =>
        new ArrayConfig { Rows = rows, Columns = columns, Pattern = pattern, ClusterColumns = 4, RegisteredSelection = true }.Validated();

    /// <summary>Stream cycle (0 is the first after the load) at whose end the sum of a pixel and column is complete in the bottom
    /// row.</summary>
    public int OutputCycle(int pixel, int column) => pixel + Rows - 1 + column / ClusterColumns + SelectionLatencyCycles;

    /// <summary>Stream cycles of a weight-stationary fold: P + R − 1 + clusters − 1 + S.</summary>
    public long StreamCycles(int pixels) => (long)pixels + Rows - 1 + Clusters - 1 + SelectionLatencyCycles;

    /// <returns>This configuration.</returns>
    /// <exception cref="AcceleratorException">A field is out of range, or two contradict each other.</exception>
    public ArrayConfig Validated()
    {
        Check(Rows, 1, MaxSide, "rows");
        Check(Columns, 1, MaxSide, "columns");
        Check(ClusterColumns, 1, MaxSide, "columns in a cluster");
        Check(ActivationBits, 1, 16, "bits in an activation");
        Check(WeightBits, 1, 16, "bits in a weight");
        Check(AccumulatorBits, ActivationBits + WeightBits, 64, "bits in an accumulator");
        Check(IfmapSramBytes, 2, int.MaxValue, "bytes of input buffer");
        Check(FilterSramBytes, 2, int.MaxValue, "bytes of weight buffer");
        Check(OfmapSramBytes, 2, int.MaxValue, "bytes of output buffer");
        Check(SramBanks, 1, 1024, "SRAM banks");
        if (!(DramBytesPerCycle > 0 && double.IsFinite(DramBytesPerCycle)))
            throw new AcceleratorException($"The array has a DRAM bandwidth of {DramBytesPerCycle} bytes per cycle, expected a positive "
                + "number.");
        if (!(ClockMegahertz > 0 && double.IsFinite(ClockMegahertz)))
            throw new AcceleratorException($"The array has a clock of {ClockMegahertz} MHz, expected a positive number.");
        if (!Enum.IsDefined(Dataflow))
            throw new AcceleratorException($"Dataflow {Dataflow} is not one of {string.Join(", ", Enum.GetNames<Dataflow>())}.");
        if (Pattern is null || Energy is null)
            throw new AcceleratorException("The array has no pattern or no energy table; expected both ('1:1' is the dense pattern).");
        if (Pattern.Axis == CellAxis.Output)
            throw new AcceleratorException($"The array selects by pattern {Pattern}, whose cells lie along the outputs; expected an "
                + $"input-axis pattern, e.g. {Pattern.Keep}:{Pattern.Group}.");
        if (Pattern.Group > 1 && Dataflow != Dataflow.WeightStationary)
            throw new AcceleratorException($"Pattern {Pattern} was asked for on dataflow {Dataflow}; complementary patterns run on "
                + "WeightStationary, the other dataflows are dense (pattern 1:1).");
        return this;
    }

    private static void Check(int value, int least, int most, string what)
    {
        if (value < least || value > most)
            throw new AcceleratorException($"The array has {value} {what}, expected {least} to {most}.");
    }
}
