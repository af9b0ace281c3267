using System.Diagnostics;
using System.Numerics;
using System.Runtime.InteropServices;

namespace Dovetail.Core.Patterns;

/// <summary>
/// Orders the inputs (input axis) or the outputs (output axis) of a layer before they are cut into cells, so
/// that the best mask captures more score: greedy exchange.
/// 1. Along the axis lie L entries; all other coordinates are lines. Exchanging two entries changes two cells of each line.
/// 2. For each cell and line the keep-th greatest score t and the next one u are known. If x leaves and y comes, the cell's kept
///    sum changes by max(y, u) − x if x was kept (x ≥ t), else by max(y − t, 0). So weighing an exchange is one pass over
///    the lines, without sorting.
/// 3. Entries are taken in a random order; each is exchanged with the entry of another cell that gains most, if any gains.
///    Sweeps repeat until none does, or the evaluations are used up.
/// 4. After an exchange the two cells' sums are computed anew in double; what did not gain is undone, so the score never falls.
/// Convolution groups are independent. Runs of shared outputs move as a whole; a short last run stays.
/// Source: the exchange search of Pool and Yu, Channel Permutations for N:M Sparsity, NeurIPS 2021, in its plain form.
/// </summary>
public static class PermutationSearch
{
    /// <param name="scores">Finite scores in matrix order, e.g. |w| or w².</param>
    /// <exception cref="PatternException">A score is not finite, or the buffer does not fit the shape.</exception>
    /// <exception cref="OperationCanceledException">The search was given up.</exception>
    public static PermutationResult Search(
        ReadOnlySpan<float> scores, CellLayout layout, PermutationOptions? options = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(layout);
        options ??= new PermutationOptions();
        WeightShape shape = layout.Shape;
        if (scores.Length != shape.Count)
            throw new PatternException($"{scores.Length} scores were given for weights of shape {shape}, expected {shape.Count}.");
        for (int i = 0; i < scores.Length; i++)
            if (!float.IsFinite(scores[i]))
                throw new PatternException($"The score of weight [{i / shape.Inputs}, {i % shape.Inputs}] is {scores[i]}; expected finite "
                    + "numbers.");

        var random = new Random(options.Seed);
        var clock = Stopwatch.StartNew();
        Exchange[] groups = new Exchange[shape.Groups];
        for (int group = 0; group < groups.Length; group++)
            groups[group] = new Exchange(layout, Lines(scores, layout, group));
        double Score() => groups.Sum(group => group.Score);
        double before = Score();
        long evaluations = 0;
        var progress = new List<PermutationProgress> { new(clock.Elapsed, 0, before) };
        bool improved = true;
        bool Expired()
        {
            cancellation.ThrowIfCancellationRequested();
            return clock.Elapsed >= options.TimeLimit;
        }

        while (improved && evaluations < options.MaxEvaluations && !Expired())
        {
            improved = false;
            foreach (Exchange group in groups)
                improved |= group.Sweep(random, options.MaxEvaluations, Expired, ref evaluations);
            progress.Add(new PermutationProgress(clock.Elapsed, evaluations, Score()));
        }

        return new PermutationResult(Order(layout, groups), before, Score(), evaluations, !improved, progress);
    }

    /// <summary>[entry][line] scores of one convolution group.</summary>
    private static float[][] Lines(ReadOnlySpan<float> scores, CellLayout layout, int group)
    {
        WeightShape shape = layout.Shape;
        int share = layout.Pattern.Share, runs = (shape.OutputsPerGroup - 1) / share + 1;
        bool input = layout.Pattern.Axis == CellAxis.Input;
        var lines = new float[layout.AxisLength][];
        for (int entry = 0; entry < lines.Length; entry++)
        {
            lines[entry] = new float[input ? runs * shape.Taps : shape.Inputs];
            for (int row = 0; row < shape.OutputsPerGroup; row++)
            {
                int from = (group * shape.OutputsPerGroup + row) * shape.Inputs, run = row / share;
                if (input)
                    for (int tap = 0; tap < shape.Taps; tap++)
                        lines[entry][run * shape.Taps + tap] += scores[from + tap * shape.Channels + entry];
                else if (run == entry)
                    for (int column = 0; column < shape.Inputs; column++)
                        lines[entry][column] += scores[from + column];
            }
        }

        return lines;
    }

    private static int[] Order(CellLayout layout, Exchange[] groups)
    {
        WeightShape shape = layout.Shape;
        if (layout.Pattern.Axis == CellAxis.Input)
            return [.. groups.SelectMany((group, g) => group.Order.Select(entry => g * shape.Channels + entry))];
        int share = layout.Pattern.Share;
        return [.. groups.SelectMany((group, g) => group.Order.SelectMany(run =>
            Enumerable.Range(run * share, Math.Min(share, shape.OutputsPerGroup - run * share))
                .Select(row => g * shape.OutputsPerGroup + row)))];
    }

    /// <summary>One convolution group: entries at positions, cells of positions.</summary>
    private sealed class Exchange
    {
        private readonly float[][] _lines;
        private readonly int _keep;
        private readonly int[] _cellOf;
        private readonly int[][] _positions;
        private readonly float[][] _least;
        private readonly float[][] _next;
        private readonly double[] _sums;
        private readonly int _movable;

        internal Exchange(CellLayout layout, float[][] lines)
        {
            _lines = lines;
            _keep = layout.Pattern.Keep;
            int length = lines.Length, cells = layout.CellsPerAxis;
            Order = [.. Enumerable.Range(0, length)];
            _cellOf = [.. Order.Select(
                position => layout.Pattern.Arrangement == Arrangement.Contiguous ? position / layout.Pattern.Group : position % cells)];
            _positions = [.. Enumerable.Range(0, cells).Select(cell => Order.Where(position => _cellOf[position] == cell).ToArray())];
            bool shortRun = layout.Pattern.Axis == CellAxis.Output && layout.Shape.OutputsPerGroup % layout.Pattern.Share != 0;
            _movable = shortRun ? length - 1 : length;
            (_least, _next, _sums) = (new float[cells][], new float[cells][], new double[cells]);
            for (int cell = 0; cell < cells; cell++)
                Measure(cell);
        }

        /// <summary>[position] = entry.</summary>
        internal int[] Order { get; }

        internal double Score => _sums.Sum();

        internal bool Sweep(Random random, long maxEvaluations, Func<bool> expired, ref long evaluations)
        {
            int[] tried = [.. Enumerable.Range(0, _movable)];
            random.Shuffle(tried);
            bool improved = false;
            foreach (int position in tried)
            {
                if (expired())
                    return true; // cut short, too
                (int partner, double best) = (-1, 0);
                for (int other = 0; other < _movable; other++)
                {
                    if (_cellOf[other] == _cellOf[position])
                        continue;
                    if (evaluations++ >= maxEvaluations)
                        return true; // cut short: a gain is not ruled out
                    double gain = Gain(_cellOf[position], position, other) + Gain(_cellOf[other], other, position);
                    if (gain > best)
                        (partner, best) = (other, gain);
                }

                improved |= partner >= 0 && TryExchange(position, partner);
            }

            return improved;
        }

        private bool TryExchange(int position, int other)
        {
            (int a, int b) = (_cellOf[position], _cellOf[other]);
            double before = _sums[a] + _sums[b];
            Swap();
            if (_sums[a] + _sums[b] > before * (1 + Math.Sign(before) * 1e-9))
                return true;
            Swap();
            return false;

            void Swap()
            {
                (Order[position], Order[other]) = (Order[other], Order[position]);
                Measure(a);
                Measure(b);
            }
        }

        private double Gain(int cell, int leaving, int coming)
        {
            ReadOnlySpan<Vector<float>> xs = MemoryMarshal.Cast<float, Vector<float>>(_lines[Order[leaving]]),
                ys = MemoryMarshal.Cast<float, Vector<float>>(_lines[Order[coming]]);
            ReadOnlySpan<Vector<float>> leasts = MemoryMarshal.Cast<float, Vector<float>>(_least[cell]),
                nexts = MemoryMarshal.Cast<float, Vector<float>>(_next[cell]);
            Vector<float> sum = Vector<float>.Zero;
            for (int i = 0; i < xs.Length; i++)
                sum += Vector.ConditionalSelect(
                    Vector.GreaterThanOrEqual(xs[i], leasts[i]),
                    Vector.Max(ys[i], nexts[i]) - xs[i],
                    Vector.Max(ys[i] - leasts[i], Vector<float>.Zero));
            double gain = Vector.Sum(sum);
            for (int line = xs.Length * Vector<float>.Count; line < _lines[0].Length; line++)
            {
                (float x, float y) = (_lines[Order[leaving]][line], _lines[Order[coming]][line]);
                gain += x >= _least[cell][line] ? Math.Max(y, _next[cell][line]) - x : Math.Max(y - _least[cell][line], 0);
            }

            return gain;
        }

        /// <summary>The keep-th greatest, the next and the kept sum of a cell on every line; −∞ where there is none.</summary>
        private void Measure(int cell)
        {
            int[] positions = _positions[cell];
            int lines = _lines[0].Length, used = Math.Min(_keep, positions.Length);
            float[] least = _least[cell] ??= new float[lines], next = _next[cell] ??= new float[lines];
            Span<float> values = stackalloc float[positions.Length];
            double sum = 0;
            for (int line = 0; line < lines; line++)
            {
                for (int i = 0; i < positions.Length; i++)
                    values[i] = _lines[Order[positions[i]]][line];
                values.Sort();
                foreach (float value in values[^used..])
                    sum += value;
                bool all = used == positions.Length;
                least[line] = all ? float.NegativeInfinity : values[^used];
                next[line] = all ? float.NegativeInfinity : values[^(used + 1)];
            }

            _sums[cell] = sum;
        }
    }
}
