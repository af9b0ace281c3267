namespace Dovetail.Onnx.Passes.Choose;

/// <summary>
/// The cheapest way to part the vertices of a graph between source and sink (Dinic, 1970).
/// 1. Breadth first from the source: levels in what capacity is left.
/// 2. Flow is pushed along paths that go up a level at every step, until none is left; then levels anew.
/// 3. When the sink is out of reach, what the source still reaches is its side.
/// </summary>
internal sealed class MinimumCut
{
    /// <summary>Capacity below it counts as none: sums of floating-point numbers never come out even.</summary>
    private const double Nothing = 1e-9;

    private readonly List<int>[] _edgesOf;
    private readonly List<int> _targets = [];
    private readonly List<double> _left = [];
    private readonly int _source, _sink;

    /// <param name="vertices">Numbered from 0; source and sink come on top.</param>
    public MinimumCut(int vertices)
    {
        (_source, _sink) = (vertices, vertices + 1);
        _edgesOf = [.. Enumerable.Range(0, vertices + 2).Select(_ => new List<int>())];
    }

    /// <summary>What it costs if the vertex is on the source's side, and if on the sink's.</summary>
    public void AddCosts(int vertex, double onSourceSide, double onSinkSide)
    {
        AddEdge(vertex, _sink, onSourceSide, 0);
        AddEdge(_source, vertex, onSinkSide, 0);
    }

    /// <summary>What it costs if the two are on different sides.</summary>
    public void AddLink(int a, int b, double cost) => AddEdge(a, b, cost, cost);

    /// <returns>For each vertex, whether it is on the source's side.</returns>
    public bool[] Cut()
    {
        int[] levels = Levels();
        while (levels[_sink] >= 0)
        {
            var next = new int[_edgesOf.Length];
            while (Push(_source, double.PositiveInfinity, levels, next) > Nothing)
            {
            }

            levels = Levels();
        }

        return [.. levels.Take(_source).Select(level => level >= 0)];
    }

    private void AddEdge(int from, int to, double forth, double back)
    {
        _edgesOf[from].Add(_targets.Count);
        _targets.Add(to);
        _left.Add(forth);
        _edgesOf[to].Add(_targets.Count); // an edge and its reverse are neighbours: number ^ 1
        _targets.Add(from);
        _left.Add(back);
    }

    private int[] Levels()
    {
        var levels = new int[_edgesOf.Length];
        Array.Fill(levels, -1);
        levels[_source] = 0;
        var queue = new Queue<int>([_source]);
        while (queue.TryDequeue(out int vertex))
            foreach (int edge in _edgesOf[vertex])
                if (_left[edge] > Nothing && levels[_targets[edge]] < 0)
                {
                    levels[_targets[edge]] = levels[vertex] + 1;
                    queue.Enqueue(_targets[edge]);
                }

        return levels;
    }

    private double Push(int vertex, double flow, int[] levels, int[] next)
    {
        if (vertex == _sink)
            return flow;
        for (; next[vertex] < _edgesOf[vertex].Count; next[vertex]++)
        {
            int edge = _edgesOf[vertex][next[vertex]], target = _targets[edge];
            if (_left[edge] <= Nothing || levels[target] != levels[vertex] + 1)
                continue;
            double pushed = Push(target, Math.Min(flow, _left[edge]), levels, next);
            if (pushed <= Nothing)
                continue;
            _left[edge] -= pushed;
            _left[edge ^ 1] += pushed;
            return pushed;
        }

        return 0;
    }
}
