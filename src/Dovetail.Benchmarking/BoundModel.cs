using System.Diagnostics;
using Dovetail.Kernels;
using Dovetail.Runtime;
using Microsoft.ML.OnnxRuntime;

namespace Dovetail.Benchmarking;

/// <summary>A session with random inputs and with outputs bound once, so that a run is nothing but the run.</summary>
internal sealed class BoundModel : IDisposable
{
    private readonly DovetailSession _session;
    private readonly OrtIoBinding _binding;
    private readonly RunOptions _options = new();
    private readonly List<OrtValue> _inputs = [], _outputs = [];
    private readonly bool _ownsSession;

    /// <param name="optimizeGraph">False: run the graph as it stands.</param>
    public BoundModel(byte[] model, BenchmarkOptions options, bool optimizeGraph = true)
        : this(Timed(model, options, optimizeGraph, out double milliseconds), ownsSession: true, options) =>
        LoadMilliseconds = milliseconds;

    private BoundModel(DovetailSession session, bool ownsSession, BenchmarkOptions options)
    {
        (_session, _ownsSession) = (session, ownsSession);
        try
        {
            _binding = _session.Inner.CreateIoBinding();
            Bind(options);
            FixOutputs();
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Creation of the session; 0 for a sibling.</summary>
    public double LoadMilliseconds { get; }

    /// <summary>The session as benchmarks want it.</summary>
    public static DovetailSession Open(byte[] model, BenchmarkOptions options, bool optimizeGraph) =>
        DovetailSession.Create(
            model, new DovetailSessionOptions(options.Threads, StopSpinningAfterRun: true, OptimizeGraph: optimizeGraph));

    private static DovetailSession Timed(byte[] model, BenchmarkOptions options, bool optimizeGraph, out double milliseconds)
    {
        long start = Stopwatch.GetTimestamp();
        DovetailSession session = Open(model, options, optimizeGraph);
        milliseconds = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        return session;
    }

    /// <summary>Inputs and outputs of its own over the same session, which stays this object's.</summary>
    public BoundModel Sibling(BenchmarkOptions options) => new(_session, ownsSession: false, options);

    /// <summary>Runs once; returns the microseconds it took.</summary>
    public double Run()
    {
        long start = Stopwatch.GetTimestamp();
        try
        {
            _session.Inner.RunWithBinding(_options, _binding);
        }
        catch (OnnxRuntimeException error)
        {
            throw new OperatorException($"A benchmark's model did not run: {error.Message}", error);
        }

        return Stopwatch.GetElapsedTime(start).TotalMicroseconds;
    }

    public void Dispose()
    {
        _binding?.Dispose(); // null where making it failed
        _inputs.ForEach(value => value.Dispose());
        _outputs.ForEach(value => value.Dispose());
        _options.Dispose();
        if (_ownsSession)
            _session.Dispose();
    }

    private void Bind(BenchmarkOptions options)
    {
        var random = new Random(options.Seed);
        foreach (string name in _session.Inner.InputNames)
        {
            NodeMetadata metadata = _session.Inner.InputMetadata[name];
            Type? found = metadata.IsTensor ? TensorValues.FindType(metadata.ElementDataType) : null;
            Type type = found ?? throw new OperatorException(
                $"The input '{name}' is no tensor of numbers; a benchmark cannot make values for it.");
            InputTensor input = RandomValues.ForInput(name, type, metadata, options, random);
            OrtValue value = TensorValues.Create(input.Values, input.Shape);
            _inputs.Add(value);
            _binding.BindInput(name, value);
        }

        foreach (string name in _session.Inner.OutputNames)
            _binding.BindOutputToDevice(name, OrtMemoryInfo.DefaultInstance);
    }

    /// <summary>A first run says how large the outputs are; from then on they have memory of their own, the same for every run.</summary>
    private void FixOutputs()
    {
        Run();
        using (IDisposableReadOnlyCollection<OrtValue> made = _binding.GetOutputValues())
            foreach (OrtValue value in made)
            {
                OrtTensorTypeAndShapeInfo info = value.GetTensorTypeAndShape();
                _outputs.Add(OrtValue.CreateAllocatedTensorValue(OrtAllocator.DefaultInstance, info.ElementDataType, info.Shape));
            }

        _binding.ClearBoundOutputs();
        foreach ((string name, OrtValue value) in _session.Inner.OutputNames.Zip(_outputs))
            _binding.BindOutput(name, value);
    }
}
