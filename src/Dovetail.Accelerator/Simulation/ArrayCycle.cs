using Dovetail.Accelerator.Config;

namespace Dovetail.Accelerator.Simulation;

/// <summary>All PEs at the end of a cycle.</summary>
public sealed class ArrayCycle
{
    private readonly WeightStationaryArray _array;

    internal ArrayCycle(WeightStationaryArray array, ArrayConfig config) => (_array, Config) = (array, config);

    public ArrayConfig Config { get; }

    public ArrayPhase Phase { get; internal set; }

    /// <summary>From 0, since the phase began.</summary>
    public int Number { get; internal set; }

    /// <summary>Pixels of the fold.</summary>
    internal int Pixels { get; set; }

    public PeState this[int row, int column] => _array.StateOf(row, column, this);
}
