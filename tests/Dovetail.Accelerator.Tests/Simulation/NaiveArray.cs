using Dovetail.Accelerator.Config;
using Dovetail.Accelerator.Mapping;

namespace Dovetail.Accelerator.Tests.Simulation;

/// <summary>
/// The oracle of the fast array: every PE an object with its own registers, two-phase clocking (all next
/// states from all current ones), no tokens: it runs for as many cycles as it is told and records the
/// bottom registers of each.
/// </summary>
internal sealed class NaiveArray
{
    private sealed class Pe
    {
        public sbyte Weight;
        public byte Owner;
        public int Operand;
        public int Sum;
    }

    /// <returns>[stream cycle, column]: the partial sums of the bottom row after each cycle.</returns>
    public static int[,] BottomSums(ArrayConfig config, ArrayTile tile, int cycles)
    {
        int rows = config.Rows, columns = config.Columns, clusters = config.Clusters;
        var pes = new Pe[rows, columns];
        for (int r = 0; r < rows; r++)
            for (int c = 0; c < columns; c++)
                pes[r, c] = new Pe();

        // Load: what a row holds moves down, the last array row enters first.
        for (int cycle = 0; cycle < rows; cycle++)
        {
            for (int r = rows - 1; r > 0; r--)
                for (int c = 0; c < columns; c++)
                    (pes[r, c].Weight, pes[r, c].Owner) = (pes[r - 1, c].Weight, pes[r - 1, c].Owner);
            for (int c = 0; c < columns; c++)
            {
                int at = (rows - 1 - cycle) * columns + c;
                (pes[0, c].Weight, pes[0, c].Owner) = (tile.Weights[at], tile.Owners[at]);
            }
        }

        var bottom = new int[cycles, columns];
        var lanes = new sbyte[rows, clusters][];
        for (int cycle = 0; cycle < cycles; cycle++)
        {
            for (int r = 0; r < rows; r++)
            {
                for (int k = clusters - 1; k > 0; k--)
                    lanes[r, k] = lanes[r, k - 1];
                lanes[r, 0] = new sbyte[tile.Group];
                int pixel = cycle - r;
                if (pixel >= 0 && pixel < tile.Pixels)
                    for (int i = 0; i < tile.Group; i++)
                        lanes[r, 0][i] = tile.Activations[(pixel * rows + r) * tile.Group + i];
            }

            var next = new (int Operand, int Sum)[rows, columns];
            for (int r = 0; r < rows; r++)
                for (int c = 0; c < columns; c++)
                {
                    Pe pe = pes[r, c];
                    int selected = lanes[r, c / config.ClusterColumns] is { } seen ? seen[pe.Owner] : 0;
                    int operand = config.RegisteredSelection ? pe.Operand : selected;
                    next[r, c] = (selected, (r == 0 ? 0 : pes[r - 1, c].Sum) + operand * pe.Weight);
                }

            for (int r = 0; r < rows; r++)
                for (int c = 0; c < columns; c++)
                    (pes[r, c].Operand, pes[r, c].Sum) = next[r, c];
            for (int c = 0; c < columns; c++)
                bottom[cycle, c] = pes[rows - 1, c].Sum;
        }

        return bottom;
    }
}
