using System.Globalization;

namespace Dovetail.Core.Patterns;

/// <summary>
/// Patterns that cut the matrix into regions and keep a number of whole regions, wherever they lie: single
/// weights, blocks or channels. The count kept is density × regions, rounded to the nearest (half up), at least 1.
/// </summary>
public abstract record RegionPattern : SparsityPattern
{
    private protected RegionPattern(double density)
    {
        if (!(density > 0 && density <= 1))
            throw new PatternException($"Pattern density is {density.ToString(CultureInfo.InvariantCulture)}, expected above 0 and at "
                + "most 1.");
        Density = density;
    }

    public override double Density { get; }

    /// <summary>Regions of a shape.</summary>
    public abstract int RegionCount(WeightShape shape);

    /// <summary>Regions that a mask of this pattern keeps.</summary>
    public int KeptCount(WeightShape shape)
    {
        int regions = RegionCount(shape);
        return Math.Clamp((int)Math.Floor(Density * regions + 0.5), 1, regions);
    }

    /// <summary>The region of each weight, matrix order: <c>region = RegionOf(row, column)</c>, counted row by row.</summary>
    internal abstract int RegionOf(int row, int column, WeightShape shape);

    private protected string PrintDensity() => Density.ToString("R", CultureInfo.InvariantCulture);
}

/// <summary>Any weights: the bound that structured patterns are compared with. Printed "unstructured:0.0625".</summary>
public sealed record UnstructuredPattern : RegionPattern
{
    public UnstructuredPattern(double density) : base(density) { }

    public override int RegionCount(WeightShape shape) => shape.Count;

    public override string ToString() => $"unstructured:{PrintDensity()}";

    internal override int RegionOf(int row, int column, WeightShape shape) => row * shape.Inputs + column;
}

/// <summary>
/// Blocks of <see cref="Height"/> outputs × <see cref="Width"/> channels, which cross neither taps nor convolution
/// groups; those at an end are smaller. Printed "block4x4:0.0625".
/// </summary>
public sealed record BlockPattern : RegionPattern
{
    public BlockPattern(int height, int width, double density)
        : base(density)
    {
        if (height < 1 || width < 1)
            throw new PatternException($"Block is {height}x{width}, expected sides of at least 1.");
        (Height, Width) = (height, width);
    }

    /// <summary>Outputs of a block.</summary>
    public int Height { get; }

    /// <summary>Channels of a block.</summary>
    public int Width { get; }

    public override int RegionCount(WeightShape shape) => shape.Groups * Down(shape) * shape.Taps * Across(shape);

    public override string ToString() => $"block{Height}x{Width}:{PrintDensity()}";

    internal override int RegionOf(int row, int column, WeightShape shape)
    {
        (int group, int rowInGroup) = Math.DivRem(row, shape.OutputsPerGroup);
        (int tap, int channel) = Math.DivRem(column, shape.Channels);
        return ((group * Down(shape) + rowInGroup / Height) * shape.Taps + tap) * Across(shape) + channel / Width;
    }

    private int Down(WeightShape shape) => (shape.OutputsPerGroup - 1) / Height + 1;

    private int Across(WeightShape shape) => (shape.Channels - 1) / Width + 1;
}

/// <summary>Whole outputs: what is left is a thinner dense layer. Printed "channel:0.5".</summary>
public sealed record ChannelPattern : RegionPattern
{
    public ChannelPattern(double density) : base(density) { }

    public override int RegionCount(WeightShape shape) => shape.Outputs;

    public override string ToString() => $"channel:{PrintDensity()}";

    internal override int RegionOf(int row, int column, WeightShape shape) => row;
}
