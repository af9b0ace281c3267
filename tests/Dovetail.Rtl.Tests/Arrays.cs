using Dovetail.Accelerator.Config;
using Dovetail.Accelerator.Mapping;
using Dovetail.Core.Patterns;

namespace Dovetail.Rtl.Tests;

/// <summary>Configurations and random tiles of these tests.</summary>
internal static class Arrays
{
    public static ArrayConfig Config(int rows, int columns, string pattern, int cluster, bool registered) =>
        new ArrayConfig
        {
            Rows = rows,
            Columns = columns,
            Pattern = ComplementaryPattern.Parse(pattern),
            ClusterColumns = cluster,
            RegisteredSelection = registered,
        }.Validated();

    /// <summary>Operands over the whole int8 range, extremes more often than chance would have them.</summary>
    public static ArrayTile Tile(ArrayConfig config, int pixels, Random random)
    {
        var weights = new sbyte[config.PeCount];
        var owners = new byte[config.PeCount];
        var activations = new sbyte[pixels * config.Rows * config.Lanes];
        Fill(weights);
        Fill(activations);
        for (int i = 0; i < owners.Length; i++)
            owners[i] = (byte)random.Next(config.Lanes);
        return new ArrayTile(config.Rows, config.Columns, config.Lanes, pixels, weights, owners, activations);

        void Fill(Span<sbyte> values)
        {
            foreach (ref sbyte value in values)
                value = random.Next(8) switch
                {
                    0 => sbyte.MinValue,
                    1 => sbyte.MaxValue,
                    2 => 0,
                    _ => (sbyte)random.Next(-128, 128),
                };
        }
    }

    /// <summary>Σ over the rows of lane[owner]·weight: the definition, without an array.</summary>
    public static int[] BruteForce(ArrayTile tile)
    {
        var sums = new int[tile.Pixels * tile.Columns];
        for (int p = 0; p < tile.Pixels; p++)
            for (int c = 0; c < tile.Columns; c++)
                for (int r = 0; r < tile.Rows; r++)
                {
                    int pe = r * tile.Columns + c;
                    sums[p * tile.Columns + c] += tile.Activations[(p * tile.Rows + r) * tile.Group + tile.Owners[pe]] * tile.Weights[pe];
                }

        return sums;
    }
}
