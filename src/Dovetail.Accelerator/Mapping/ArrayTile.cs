namespace Dovetail.Accelerator.Mapping;

/// <summary>
/// What one fold feeds to a weight-stationary array: the operands of every PE and the lanes of every
/// pixel. Rows and columns are the array's; a fold that fills fewer holds zero weights with owner 0 and
/// zero lanes there.
/// </summary>
public sealed class ArrayTile
{
    /// <param name="rows">Array rows, R.</param>
    /// <param name="columns">Array columns, C.</param>
    /// <param name="group">Lanes of an array row.</param>
    /// <param name="pixels">Pixels that stream past, P.</param>
    /// <param name="weights">[rows, columns].</param>
    /// <param name="owners">[rows, columns], each below <paramref name="group"/>.</param>
    /// <param name="activations">[pixels, rows, group].</param>
    /// <exception cref="AcceleratorException">A buffer does not fit the sizes, or an owner selects no lane.</exception>
    public ArrayTile(int rows, int columns, int group, int pixels, sbyte[] weights, byte[] owners, sbyte[] activations)
    {
        ArgumentNullException.ThrowIfNull(weights);
        ArgumentNullException.ThrowIfNull(owners);
        ArgumentNullException.ThrowIfNull(activations);
        if (rows < 1 || columns < 1 || group < 1 || pixels < 1)
            throw new AcceleratorException($"A tile of {rows} rows, {columns} columns, {group} lanes and {pixels} pixels was asked for, "
                + "expected each to be at least 1.");
        if (weights.Length != rows * columns || owners.Length != rows * columns)
            throw new AcceleratorException($"A tile of {rows}×{columns} PEs got {weights.Length} weights and {owners.Length} owners, "
                + $"expected {rows * columns} of each.");
        if (activations.Length != (long)pixels * rows * group)
            throw new AcceleratorException($"A tile of {pixels} pixels, {rows} rows and {group} lanes got {activations.Length} "
                + $"activations, expected {(long)pixels * rows * group}.");
        int outside = owners.AsSpan().IndexOfAnyInRange((byte)Math.Min(group, 255), byte.MaxValue);
        if (group < 256 && outside >= 0)
            throw new AcceleratorException($"PE ({outside / columns}, {outside % columns}) has owner {owners[outside]}, expected one below "
                + $"the {group} lanes of its row.");
        (Rows, Columns, Group, Pixels, Weights, Owners, Activations) = (rows, columns, group, pixels, weights, owners, activations);
    }

    public int Rows { get; }
    public int Columns { get; }

    /// <summary>Lanes of an array row.</summary>
    public int Group { get; }

    public int Pixels { get; }

    /// <summary>[Rows, Columns], row-major.</summary>
    public sbyte[] Weights { get; }

    /// <summary>[Rows, Columns], row-major: the lane that a PE selects.</summary>
    public byte[] Owners { get; }

    /// <summary>[Pixels, Rows, Group]: a uint8 activation x enters as (sbyte)(x − 128).</summary>
    public sbyte[] Activations { get; }
}
