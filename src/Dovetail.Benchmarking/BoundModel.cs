using System.Diagnostics;
using Dovetail.Kernels;
using Dovetail.Runtime;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Dovetail.Benchmarking;

/// <summary>A session with random inputs and with outputs bound once, so that a run is nothing but the run.</summary>
internal sealed class BoundModel : IDisposable
{
    private readonly DovetailSession _session;
    private readonly OrtIoBinding _binding;
    private readonly RunOptions _options = new();
    private readonly List<OrtValue> _inputs = [], _outputs = [];
    private readonly bool _ownsSession;

    /// <param name="inputDimensions">Of the first input; null: the model's own, free first dimensions replaced by the batch.</param>
    /// <param name="optimizeGraph">False: run the graph as it stands.</param>
    public BoundModel(byte[] model, IReadOnlyList<long>? inputDimensions, BenchmarkOptions options, bool optimizeGraph = true)
        : this(Open(model, options, optimizeGraph), ownsSession: true, inputDimensions, options)
    {
    }

    private BoundModel(DovetailSession session, bool ownsSession, IReadOnlyList<long>? inputDimensions, BenchmarkOptions options)
    {
        (_session, _ownsSession) = (session, ownsSession);
        try
        {
            _binding = _session.Inner.CreateIoBinding();
            Bind(inputDimensions, options);
            FixOutputs();
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The session as benchmarks want it.</summary>
    public static DovetailSession Open(byte[] model, BenchmarkOptions options, bool optimizeGraph) =>
        DovetailSession.Create(
            model, new DovetailSessionOptions(options.Threads, StopSpinningAfterRun: true, OptimizeGraph: optimizeGraph));

    /// <summary>Inputs and outputs of its own over the same session, which stays this object's.</summary>
    public BoundModel Sibling(BenchmarkOptions options) => new(_session, ownsSession: false, null, options);

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

    private void Bind(IReadOnlyList<long>? inputDimensions, BenchmarkOptions options)
    {
        var random = new Random(options.Seed);
        foreach (string name in _session.Inner.InputNames)
        {
            NodeMetadata metadata = _session.Inner.InputMetadata[name];
            long[] dimensions = _inputs.Count == 0 && inputDimensions is not null
                ? [.. inputDimensions]
                : Resolve(name, metadata.Dimensions, options.Batch);
            OrtValue value = RandomTensor(name, metadata.ElementDataType, dimensions, random);
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

    private static long[] Resolve(string name, int[] dimensions, int batch)
    {
        if (dimensions.Skip(1).Any(dimension => dimension < 0))
            throw new OperatorException($"The input '{name}' has the shape [{string.Join(", ", dimensions)}], expected numbers behind the "
                + "first dimension. State the input's dimensions.");
        return [.. dimensions.Select(dimension => dimension < 0 ? (long)batch : dimension)];
    }

    /// <summary>In memory of ONNX Runtime's own allocator, aligned as tensors within a network are.</summary>
    private static OrtValue RandomTensor(string name, TensorElementType type, long[] dimensions, Random random)
    {
        if (type is not (TensorElementType.Float or TensorElementType.UInt8 or TensorElementType.Int64))
            throw new OperatorException($"The input '{name}' has elements of type {type}, expected float, uint8 or int64.");
        OrtValue value = OrtValue.CreateAllocatedTensorValue(OrtAllocator.DefaultInstance, type, dimensions);
        if (type == TensorElementType.UInt8)
        {
            random.NextBytes(value.GetTensorMutableDataAsSpan<byte>());
            return value;
        }

        if (type == TensorElementType.Int64)
        {
            foreach (ref long element in value.GetTensorMutableDataAsSpan<long>())
                element = random.Next(2); // an index into whatever table there is
            return value;
        }

        foreach (ref float element in value.GetTensorMutableDataAsSpan<float>())
            element = (float)(random.NextDouble() * 2 - 1);
        return value;
    }
}
