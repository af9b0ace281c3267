using Dovetail.Core.Files;
using Dovetail.Kernels;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Dovetail.Runtime;

/// <summary>An ONNX Runtime session that knows the packed operators. Standard ONNX files run in it as well.</summary>
public sealed class DovetailSession : IDisposable
{
    private bool _isDisposed;

    private DovetailSession(InferenceSession inner) => Inner = inner;

    /// <summary>The session itself, owned by this object.</summary>
    public InferenceSession Inner { get; }

    /// <summary>The name of the only input. The first, where there are several.</summary>
    public string InputName => Inner.InputNames[0];

    /// <exception cref="OperatorException">The file is missing, is no model, or a node of it is refused.</exception>
    public static DovetailSession Create(string path, DovetailSessionOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(path);
        if (!File.Exists(path))
            throw new OperatorException($"There is no model at '{path}'; expected an ONNX file.");
        try
        {
            using FileStream file = UserFile.OpenRead(path);
            OperatorSetVersion.Check(file, $"'{path}'");
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new OperatorException($"'{path}' cannot be read: {error.Message.TrimEnd('.')}.", error);
        }

        return Create($"'{path}'", options, session => new InferenceSession(path, session));
    }

    /// <inheritdoc cref="Create(string, DovetailSessionOptions?)"/>
    public static DovetailSession Create(byte[] model, DovetailSessionOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        using (var bytes = new MemoryStream(model, writable: false))
            OperatorSetVersion.Check(bytes, "The model");
        return Create($"a model of {model.Length} bytes", options, session => new InferenceSession(model, session));
    }

    /// <summary>Runs the model's first input to its first output, both float.</summary>
    /// <exception cref="OperatorException">The input does not fit the model.</exception>
    /// <exception cref="ObjectDisposedException">The session is disposed of.</exception>
    public float[] Run(float[] input, params long[] dimensions)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this); // ONNX Runtime would end the process
        ArgumentNullException.ThrowIfNull(input);
        ArgumentNullException.ThrowIfNull(dimensions);
        long elements = dimensions.Aggregate(1L, (product, dimension) => checked(product * dimension));
        if (elements != input.Length || dimensions.Any(dimension => dimension < 0))
            throw new OperatorException($"The input has {input.Length} numbers, expected {elements} for the shape "
                + $"[{string.Join(", ", dimensions)}].");
        CheckFloat("input", Inner.InputMetadata[InputName]);
        CheckFloat("output", Inner.OutputMetadata[Inner.OutputNames[0]]);
        using OrtValue value = OrtValue.CreateTensorValueFromMemory(input, dimensions);
        using var options = new RunOptions();
        using IDisposableReadOnlyCollection<OrtValue> outputs = RunChecked(options, [InputName], [value], [Inner.OutputNames[0]]);
        return outputs[0].GetTensorDataAsSpan<float>().ToArray();
    }

    /// <summary>Not while a run goes on in another thread: ONNX Runtime does not guard that.</summary>
    public void Dispose()
    {
        _isDisposed = true;
        Inner.Dispose();
    }

    private static void CheckFloat(string what, NodeMetadata metadata)
    {
        if (metadata.ElementDataType != TensorElementType.Float)
            throw new OperatorException($"The model's first {what} has elements of type {metadata.ElementDataType}, expected Float. Use "
                + "the property Inner for other types.");
    }

    /// <summary>A run whose failure is one of ours.</summary>
    internal IDisposableReadOnlyCollection<OrtValue> RunChecked(
        RunOptions options, IReadOnlyCollection<string> inputNames, IReadOnlyCollection<OrtValue> inputs,
        IReadOnlyCollection<string> outputNames)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        try
        {
            return Inner.Run(options, inputNames, inputs, outputNames);
        }
        catch (OnnxRuntimeException error)
        {
            string shapes = string.Join("; ", inputs.Select(input => $"[{string.Join(", ", input.GetTensorTypeAndShape().Shape)}]"));
            throw new OperatorException($"The model did not run on inputs of {shapes}: {error.Message}", error);
        }
    }

    internal static SessionOptions ToSessionOptions(DovetailSessionOptions? options)
    {
        options ??= new DovetailSessionOptions();
        if (options.Threads is < 1)
            throw new OperatorException($"{options.Threads} threads were asked for, expected 1 or more.");
        if (options is { ExactIntegers: true, OptimizeGraph: false })
            throw new OperatorException(
                "Exact integers were asked for without graph optimizations, in which ONNX Runtime makes them exact. Leave "
                + "OptimizeGraph true.");
        var session = new SessionOptions
        {
            IntraOpNumThreads = options.Threads ?? 0,
            InterOpNumThreads = 1,
            ExecutionMode = ExecutionMode.ORT_SEQUENTIAL,
            GraphOptimizationLevel = options.OptimizeGraph ? GraphOptimizationLevel.ORT_ENABLE_ALL : GraphOptimizationLevel.ORT_DISABLE_ALL,
            LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL, // errors come back as exceptions
        };
        session.AddSessionConfigEntry("session.intra_op.allow_spinning", options.AllowSpinning ? "1" : "0");
        session.AddSessionConfigEntry("session.force_spinning_stop", options.StopSpinningAfterRun ? "1" : "0");
        session.AddSessionConfigEntry("session.x64quantprecision", options.ExactIntegers ? "1" : "0");
        return session.AddDovetail();
    }

    private static DovetailSession Create(string what, DovetailSessionOptions? options, Func<SessionOptions, InferenceSession> create)
    {
        using SessionOptions session = ToSessionOptions(options);
        try
        {
            return new DovetailSession(create(session));
        }
        catch (OnnxRuntimeException error)
        {
            throw new OperatorException($"ONNX Runtime refuses {what}: {error.Message}", error);
        }
    }
}
