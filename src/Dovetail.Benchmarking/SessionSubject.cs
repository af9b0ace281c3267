using System.Diagnostics;
using Dovetail.Kernels;
using Dovetail.Runtime;

namespace Dovetail.Benchmarking;

/// <summary>A session of ONNX Runtime with random inputs bound.</summary>
internal sealed class SessionSubject : IBenchmarkSubject
{
    private const int Loads = 3, LoadsInBudget = 50;

    private readonly List<BoundModel> _lanes = [];

    /// <param name="callers">Lanes that share the session.</param>
    /// <param name="budget">Where it is tight, the model is loaded once instead of three times.</param>
    /// <exception cref="OperatorException">The model is refused, or its inputs have unknown dimensions.</exception>
    public SessionSubject(string name, byte[] model, BenchmarkOptions options, int callers = 1, TimeBudget? budget = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentOutOfRangeException.ThrowIfLessThan(callers, 1);
        Name = name;
        try
        {
            _lanes.Add(new BoundModel(model, options));
            for (int i = 1; i < callers; i++)
                _lanes.Add(_lanes[0].Sibling(options));
        }
        catch
        {
            Dispose();
            throw;
        }

        List<double> times = [_lanes[0].LoadMilliseconds];
        while (times.Count < Loads && !(budget?.Left < LoadsInBudget * times[0] / 1e3))
        {
            long start = Stopwatch.GetTimestamp();
            using DovetailSession session = BoundModel.Open(model, options, optimizeGraph: true);
            times.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
        }

        LoadMilliseconds = times.Order().ElementAt(times.Count / 2);
    }

    public string Name { get; }

    /// <summary>Median of three session creations, or one.</summary>
    public double LoadMilliseconds { get; }

    public double Run(int lane) => _lanes[lane].Run();

    public void Dispose()
    {
        foreach (BoundModel lane in Enumerable.Reverse(_lanes)) // the first owns the session
            lane.Dispose();
    }
}
