using System.Globalization;
using System.Text;
using Dovetail.Accelerator.Config;
using Dovetail.Accelerator.Mapping;
using Dovetail.Accelerator.Simulation;

namespace Dovetail.Accelerator.Tracing;

/// <summary>Says in text, cycle by cycle, which PE multiplies what with which owner: one line an array row.</summary>
public sealed class ArrayWatch : IArrayObserver
{
    /// <summary>PEs of the largest array that a person can follow.</summary>
    public const int MostPes = 64;

    private const int MostCycles = 20_000, Width = 24;

    private readonly Action<string> _write;
    private readonly StringBuilder _line = new();
    private long _elapsed;

    /// <param name="cycles">That will elapse.</param>
    /// <param name="write">Takes a line.</param>
    /// <exception cref="AcceleratorException">More PEs or cycles than anybody reads.</exception>
    public ArrayWatch(ArrayConfig config, long cycles, Action<string> write)
    {
        ArgumentNullException.ThrowIfNull(config);
        if (config.PeCount > MostPes)
            throw new AcceleratorException($"An array of {config.Rows}×{config.Columns} PEs was to be watched, expected {MostPes} PEs at "
                + "most. Take a smaller one, e.g. --rows 4 --cols 4, or write a trace.");
        if (cycles > MostCycles)
            throw new AcceleratorException($"{cycles:N0} cycles were to be watched, expected {MostCycles:N0} at most. Take a smaller "
                + "layer, or write a trace.");
        _write = write;
    }

    public void BeginLayer(LayerMapping mapping)
    {
        ArgumentNullException.ThrowIfNull(mapping);
        ArrayConfig config = mapping.Config;
        _write($"{mapping.Workload.Name}: {mapping.Pixels} pixels, {mapping.Workload.M} outputs, {mapping.Workload.K} inputs as "
            + $"{mapping.Slots} slots ({mapping.Pattern}) on {config.Rows}×{config.Columns} PEs.");
        _write("Load: weight@owner. Stream: pixel: activation × weight@owner → sum for the PE below; activations are bytes less 128, "
            + "and '.' multiplies nothing.");
    }

    public void BeginPhase(ArrayPhase phase, int number, ArrayFold fold)
    {
        if (phase == ArrayPhase.Load)
            _write($"Fold {number + 1}: outputs {fold.FirstOutput} to {fold.FirstOutput + fold.Outputs - 1}, slots "
                + $"{fold.FirstSlot} to {fold.FirstSlot + fold.Slots - 1}");
    }

    public void Elapsed(ArrayCycle cycle)
    {
        ArgumentNullException.ThrowIfNull(cycle);
        _write(Invariant($"cycle {++_elapsed}, {(cycle.Phase == ArrayPhase.Load ? "load" : "stream")}"));
        for (int r = 0; r < cycle.Config.Rows; r++)
        {
            _line.Clear().Append(CultureInfo.InvariantCulture, $"  row {r}");
            for (int c = 0; c < cycle.Config.Columns; c++)
                _line.Append("  ").Append(Text(cycle, r, c).PadRight(cycle.Phase == ArrayPhase.Load ? 8 : Width));
            _write(_line.ToString().TrimEnd());
        }
    }

    // Rows below the ones that have entered hold what the fold before left.
    private static string Text(ArrayCycle cycle, int row, int column)
    {
        PeState pe = cycle[row, column];
        string owner = cycle.Config.Lanes > 1 ? Invariant($"@{pe.Owner}") : "";
        return cycle.Phase == ArrayPhase.Load
            ? row <= cycle.Number ? Invariant($"{pe.Weight}{owner}") : "."
            : pe.Pixel < 0 ? "." : Invariant($"{pe.Pixel}: {pe.Operand}×{pe.Weight}{owner} → {pe.Sum}");
    }

    private static string Invariant(FormattableString text) => FormattableString.Invariant(text);
}
