using Dovetail.Data.Tensors;
using Dovetail.Kernels;
using Dovetail.Runtime;
using Microsoft.ML.OnnxRuntime;

namespace Dovetail.Cli.Commands.Run;

/// <summary>Runs a model over the tensors of files.</summary>
internal sealed class ModelRun
{
    private readonly DovetailSession _session;

    /// <exception cref="TensorFileException">An input has elements that no file here holds.</exception>
    public ModelRun(DovetailSession session)
    {
        _session = session;
        Inputs = [.. session.Inner.InputNames.Select(name => Describe(name, session.Inner.InputMetadata[name]))];
    }

    public IReadOnlyList<ModelInput> Inputs { get; }

    public IReadOnlyList<string> OutputNames => _session.Inner.OutputNames;

    /// <summary>Sorts "FILE" and "NAME=FILE" by input: what stands before the first '=' is a name only if an input has it.</summary>
    /// <exception cref="TensorFileException">A file belongs to no input, or an input has none.</exception>
    public IReadOnlyDictionary<string, IReadOnlyList<string>> Assign(IEnumerable<string> arguments)
    {
        Dictionary<string, List<string>> files = Inputs.ToDictionary(input => input.Name, _ => new List<string>());
        foreach (string argument in arguments)
        {
            int at = argument.IndexOf('=');
            if (at > 0 && files.TryGetValue(argument[..at], out List<string>? named))
                named.Add(argument[(at + 1)..]);
            else if (at > 0 && !File.Exists(argument))
                throw new TensorFileException($"--input {argument}: there is no such file, and the model has no input '{argument[..at]}'; "
                    + $"its inputs are {Listed()}.");
            else if (Inputs is [var only])
                files[only.Name].Add(argument);
            else
                throw new TensorFileException(
                    $"--input {argument}: the model has {Inputs.Count} inputs, {Listed()}; say which with NAME={argument}.");
        }

        if (Inputs.FirstOrDefault(input => files[input.Name].Count == 0) is { } missing)
            throw new TensorFileException($"The input {missing} has no file; give --input {missing.Name}=FILE.");
        return files.ToDictionary(entry => entry.Key, entry => (IReadOnlyList<string>)entry.Value);

        string Listed() => string.Join("; ", Inputs);
    }

    /// <summary>
    /// The outputs for the tensors of all inputs. A model with one input runs over its rows in batches: of the model's
    /// own size where that is fixed.
    /// </summary>
    /// <param name="tensors">In the order of <see cref="Inputs"/>.</param>
    /// <param name="batch">Rows of one run where the model leaves it open.</param>
    /// <param name="progress">Told the share that is done.</param>
    /// <exception cref="TensorFileException">The rows are no whole number of the model's batches, or an output is of another
    /// type.</exception>
    /// <exception cref="OperatorException">The model does not run.</exception>
    public IReadOnlyList<FileTensor> Run(
        IReadOnlyList<FileTensor> tensors, int batch, IProgress<double> progress, CancellationToken cancellation)
    {
        if (tensors is not [{ Shape.Length: > 0 } tensor])
            return RunOnce(tensors);
        long rows = tensor.Shape[0], step = Inputs[0].Shape[0] >= 0 ? Inputs[0].Shape[0] : batch;
        if (Inputs[0].Shape[0] >= 0 && (step == 0 || rows % step != 0))
            throw new TensorFileException($"There are {rows} rows of input, and the model takes {step} at once; expected a multiple "
                + "of that.");
        var parts = new List<IReadOnlyList<FileTensor>>();
        for (long first = 0; first < rows || parts.Count == 0; first += step)
        {
            cancellation.ThrowIfCancellationRequested();
            parts.Add(RunOnce([InputBatch.Slice(tensor, first, Math.Min(step, rows - first))]));
            progress.Report(rows == 0 ? 1 : Math.Min(1, (double)(first + step) / rows));
        }

        return [.. OutputNames.Select(
            (name, i) =>
            InputBatch.Stack([.. parts.Select(part => part[i])], [.. parts.Select((_, run) => $"output {name} of run {run}")]))];
    }

    /// <summary>All outputs for one run of whole tensors, in the order of <see cref="Inputs"/>.</summary>
    public IReadOnlyList<FileTensor> RunOnce(IReadOnlyList<FileTensor> tensors)
    {
        var values = new List<OrtValue>();
        try
        {
            foreach (FileTensor tensor in tensors)
                values.Add(TensorValues.Create(tensor.Values, tensor.Shape));
            using var options = new RunOptions();
            using IDisposableReadOnlyCollection<OrtValue> outputs = _session.Inner.Run(
                options, [.. Inputs.Select(input => input.Name)], values, [.. OutputNames]);
            return [.. outputs.Select((output, i) => Read(OutputNames[i], output))];
        }
        catch (OnnxRuntimeException error)
        {
            throw new OperatorException($"The model takes {string.Join(" and ", Inputs)}, and it did not run on "
                + $"{string.Join(" and ", Inputs.Zip(tensors, (input, tensor) => $"'{input.Name}', {tensor}"))}. ONNX Runtime: "
                + $"{error.Message}", error);
        }
        finally
        {
            values.ForEach(value => value.Dispose());
        }
    }

    private static FileTensor Read(string name, OrtValue value)
    {
        (Array values, long[] shape) = TensorValues.Read($"The output {name}", value);
        return new FileTensor(values, shape);
    }

    private static ModelInput Describe(string name, NodeMetadata metadata) => new(
        name, !metadata.IsTensor
        ? throw new TensorFileException($"The model's input '{name}' is no tensor; no file here holds what it takes.")
        : TensorValues.FindType(metadata.ElementDataType) ?? throw new TensorFileException(
            $"The model's input '{name}' has elements of type {metadata.ElementDataType}; no file here holds such."),
        metadata.Dimensions);
}
