namespace Dovetail.Benchmarking.Tests;

/// <summary>How runs are ordered and counted, with runs that take a stated time.</summary>
public sealed class MeasuringTests
{
    [Fact]
    public void Blocks_alternate_and_the_first_run_of_a_block_is_not_counted()
    {
        var order = new List<char>();
        Timing[] times = Interleaving.Measure([Subject('a', 2000, 9000), Subject('b', 6000, 8000)], seconds: 0, CancellationToken.None);
        // 5 warm-up runs each; then 5 blocks: of a 5000 / 2000 = 2 runs, the first not counted; of b one, counted.
        Assert.Equal("aaaaabbbbb" + string.Concat(Enumerable.Repeat("aab", 5)), string.Concat(order));
        Assert.Equal((5, 2000.0, 5, 6000.0), (times[0].Runs, times[0].MedianMicroseconds, times[1].Runs, times[1].MedianMicroseconds));

        // After the warm-up, a's first run of every block is slow.
        Func<double> Subject(char name, double usual, double cold) => () =>
        {
            order.Add(name);
            return name == 'a' && order.Count > 10 && order[^2] == 'b' ? cold : usual;
        };
    }

    [Fact]
    public void Within_a_bound_one_run_of_each_to_warm_up_and_one_block_are_enough()
    {
        var order = new List<char>();
        Timing[] times = Interleaving.Measure(
            [() => { order.Add('a'); return 2000; }, () => { order.Add('b'); return 6000; }], seconds: 0, CancellationToken.None,
            isBounded: true);
        Assert.Equal("abab", string.Concat(order));
        Assert.All(times, time => Assert.Equal(1, time.Runs));
    }

    [Fact]
    public void Percentiles_are_those_of_the_sorted_times()
    {
        Timing timing = Timing.From([.. Enumerable.Range(0, 101).Select(i => (double)(i * 37 % 101))]);
        Assert.Equal(new Timing(101, 50, 10, 90, 99), timing);
    }

    [Fact]
    public void Callers_run_at_once_on_lanes_of_their_own()
    {
        using var subject = new Sleeper();
        IReadOnlyList<SubjectTiming> timings = NetworkBenchmark.Measure(
            [subject, subject], new BenchmarkOptions(Seconds: 0.01), callers: 3);
        Assert.Equal([0, 1, 2], subject.Lanes.Distinct().Order());
        Assert.False(subject.Overlapped, "two callers used one lane at once");
        Assert.All(timings, timing => Assert.True(timing.RunsPerSecond > 0 && timing.Latency.Runs > 0));
        subject.Fails = true;
        var error = Assert.Throws<BenchmarkException>(
            () => NetworkBenchmark.Measure([subject], new BenchmarkOptions(Seconds: 0.01), callers: 2));
        Assert.Contains("A caller of the sleeper network failed: tired", error.Message);
    }

    [Fact]
    public void The_peak_is_a_finite_rate()
    {
        Assert.True(double.IsFinite(PeakArithmetic.MeasureGflops(1)) && PeakArithmetic.MeasureGflops(2) > 0);
        Assert.Contains("fused multiply-adds", PeakArithmetic.Method);
        Assert.Throws<ArgumentOutOfRangeException>(() => PeakArithmetic.MeasureGflops(0));
    }

    private sealed class Sleeper : IBenchmarkSubject
    {
        private readonly int[] _busy = new int[8];
        private readonly Lock _lock = new();

        public string Name => "sleeper";

        public double LoadMilliseconds => 1;

        public bool Fails { get; set; }

        public bool Overlapped { get; private set; }

        public List<int> Lanes { get; } = [];

        public double Run(int lane)
        {
            if (Fails)
                throw new InvalidOperationException("tired");
            if (Interlocked.Increment(ref _busy[lane]) != 1)
                Overlapped = true;
            lock (_lock)
                Lanes.Add(lane);
            Thread.Sleep(1);
            Interlocked.Decrement(ref _busy[lane]);
            return 1000;
        }

        public void Dispose() { }
    }
}
