using System.Diagnostics;
using System.Globalization;
using Dovetail.Core;
using Dovetail.Kernels;
using Dovetail.Runtime;

namespace Dovetail.Benchmarks;

/// <summary>
/// Runs packed networks for a long time:  soak --minutes N --threads N [--seed N] [--keep-sessions]
/// 1. Sessions of an fp32 CNN, an fp32 MLP and an int8 CNN are made, run some hundred times on batches of changing size, and
///    disposed, again and again; in turn with N threads of their own, and with N callers of sessions of one thread.
/// 2. Every output is compared with what plain ONNX Runtime computed of the sparse network at the start.
/// 3. Between rounds, when no session is alive, the managed heap, the unmanaged bytes in use and the resident set are noted.
///    After a warm-up of a third of the time none may grow by more than its limit, along a line through the samples.
/// --keep-sessions disposes of nothing, to see that a leak is found. Exit code 0: no leak, no mismatch; 1 otherwise.
/// </summary>
internal sealed class Soak
{
    private const int Images = 64, LargestBatch = 24, RunsOfASession = 100;
    private const double HeapLimitBytes = 1e6, NativeLimitBytes = 2e6, ResidentLimitBytes = 24e6;

    private readonly TimeSpan _duration;
    private readonly int _threads, _seed;
    private readonly TextWriter _output;
    private readonly Random _random;
    private readonly float[] _images;

    /// <summary>What was not disposed of, where that was asked for; null otherwise.</summary>
    private readonly List<DovetailSession>? _kept;

    private Soak(TimeSpan duration, int threads, int seed, bool keepSessions, TextWriter output)
    {
        (_duration, _threads, _seed, _output) = (duration, threads, seed, output);
        _kept = keepSessions ? [] : null;
        _random = new Random(seed);
        _images = [.. Enumerable.Range(0, Images * SoakModel.ImagePixels).Select(_ => _random.NextSingle())];
    }

    public static int Run(string[] arguments, TextWriter output)
    {
        double minutes = 30;
        int threads = 2, seed = 1;
        bool keepSessions = false;
        for (int i = 0; i < arguments.Length; i++)
        {
            bool understood = arguments[i] switch
            {
                "--keep-sessions" => keepSessions = true,
                "--minutes" => double.TryParse(arguments.ElementAtOrDefault(++i), CultureInfo.InvariantCulture, out minutes) && minutes > 0,
                "--threads" => int.TryParse(arguments.ElementAtOrDefault(++i), out threads) && threads > 0,
                "--seed" => int.TryParse(arguments.ElementAtOrDefault(++i), out seed),
                _ => false,
            };
            if (!understood)
            {
                Console.Error.WriteLine("soak takes --minutes N, --threads N, --seed N and --keep-sessions.");
                return 2;
            }
        }

        try
        {
            return new Soak(TimeSpan.FromMinutes(minutes), threads, seed, keepSessions, output).Run();
        }
        catch (DovetailException error)
        {
            Console.Error.WriteLine(error.Message);
            return 1;
        }
    }

    private int Run()
    {
        SoakModel[] models =
        [
            SoakModel.Float32("fashion-cnn", "1:16", _images, _seed),
            SoakModel.Float32("mlp", "2:32", _images, _seed),
            SoakModel.Int8("fashion-cnn", "4:64", _images, _seed),
        ];
        _output.WriteLine($"{string.Join(", ", models.Select(model => model.Name))}; {_threads} threads, seed {_seed}, "
            + $"{Environment.ProcessorCount} processors");
        _output.WriteLine("seconds   sessions       runs   heap MB  native MB   RSS MB");
        var memory = new MemorySeries();
        var clock = Stopwatch.StartNew();
        double interval = Math.Clamp(_duration.TotalSeconds / 60, 1, 30), next = 0;
        long sessions = 0, runs = 0;
        while (true)
        {
            foreach (SoakModel model in models)
                foreach (bool manyCallers in (bool[])[false, true])
                {
                    runs += RunSession(model, manyCallers, _random.Next());
                    sessions++;
                }

            double seconds = clock.Elapsed.TotalSeconds;
            bool done = seconds >= _duration.TotalSeconds;
            if (seconds < next && !done)
                continue;
            next = seconds + interval;
            MemorySample now = memory.Sample(seconds);
            _output.WriteLine(
                string.Create(CultureInfo.InvariantCulture, $"{seconds,7:F0} {sessions,10} {runs,10} {now.Heap / 1e6,9:F2} "
                + $"{now.Native / 1e6,10:F2} {now.Resident / 1e6,8:F1}"));
            if (done)
                return Judge(memory, _duration.TotalSeconds / 3, sessions, runs);
        }
    }

    /// <summary>Makes a session, runs it and disposes of it or keeps it; the number of runs.</summary>
    private int RunSession(SoakModel model, bool manyCallers, int seed)
    {
        DovetailSession session = DovetailSession.Create(model.Packed, new DovetailSessionOptions(manyCallers ? 1 : _threads));
        try
        {
            int callers = manyCallers ? _threads : 1;
            if (callers == 1)
                CallOften(model, session, new Random(seed));
            else
                Parallel.For(0, callers, new ParallelOptions
                {
                    MaxDegreeOfParallelism = callers,
                }, i => CallOften(model, session, new Random(seed + i)));
            return callers * RunsOfASession;
        }
        finally
        {
            if (_kept is not null)
                _kept.Add(session);
            else
                session.Dispose();
        }
    }

    private void CallOften(SoakModel model, DovetailSession session, Random random)
    {
        for (int run = 0; run < RunsOfASession; run++)
        {
            int batch = random.Next(1, LargestBatch + 1), first = random.Next(Images - batch + 1);
            float[] logits = session.Run(
                _images[(first * SoakModel.ImagePixels)..((first + batch) * SoakModel.ImagePixels)], batch, 1, 28, 28);
            for (int i = 0; i < logits.Length; i++)
            {
                float expected = model.Logits[first * SoakModel.Classes + i];
                if (!(MathF.Abs(logits[i] - expected) <= model.Tolerance))
                    throw new OperatorException($"{model.Name}: with a batch of {batch} from image {first}, logit {i} is {logits[i]}, "
                        + $"expected {expected} ± {model.Tolerance}.");
            }
        }
    }

    private int Judge(MemorySeries memory, double warmUpSeconds, long sessions, long runs)
    {
        (string Name, double? Bytes, double Limit)[] growths =
        [
            ("managed heap", memory.Growth(warmUpSeconds, sample => sample.Heap), HeapLimitBytes),
            ("unmanaged bytes in use", memory.Growth(warmUpSeconds, sample => sample.Native), NativeLimitBytes),
            ("resident set", memory.Growth(warmUpSeconds, sample => sample.Resident), ResidentLimitBytes),
        ];
        foreach ((string name, double? bytes, double limit) in growths)
        {
            if (bytes is not { } growth)
            {
                Console.Error.WriteLine("Too few samples to tell a leak; run it for longer.");
                return 1;
            }

            _output.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{name}: {growth / 1e6:+0.00;-0.00;0.00} MB after the first {warmUpSeconds:F0} s, {growth / sessions:+0;-0;0} bytes a "
                + $"session; the limit is {limit / 1e6:F0} MB"));
        }

        if (growths.Any(growth => growth.Bytes > growth.Limit))
        {
            Console.Error.WriteLine("That is a leak.");
            return 1;
        }

        _output.WriteLine($"no leak, no mismatch in {sessions} sessions and {runs} runs");
        return 0;
    }
}
