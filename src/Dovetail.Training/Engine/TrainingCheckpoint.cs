using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Dovetail.Core.Files;
using Dovetail.Core.Safetensors;
using Dovetail.Data;
using Dovetail.Training.Graph;
using Dovetail.Training.Graph.Operators;
using Dovetail.Training.Optimization;
using Dovetail.Training.Sparsity;
using static TorchSharp.torch;

namespace Dovetail.Training.Engine;

/// <summary>
/// The state of a training in a safetensors file, written under a temporary name and renamed.
/// Tensors, all F32 in the weight's own order: parameter.X, buffer.X, momentum.X for every initializer X that is
/// learned or updated; shadow.X, mask.X, owners.X and, after the first epoch, before.X (the owners at the last epoch's
/// end) for the weights under masks. Metadata: format, run (what must be equal to go on, JSON) and state (JSON).
/// Random numbers need no state: each epoch and step derives its own from the seed.
/// </summary>
internal static class TrainingCheckpoint
{
    private const string Format = "dovetail-checkpoint", Version = "2";

    /// <summary>Where a training stands, apart from tensors.</summary>
    /// <param name="Step">Steps done.</param>
    /// <param name="LossSum">Of the epoch under way, by image.</param>
    /// <param name="Correct">Of the epoch under way.</param>
    /// <param name="Seen">Images of the epoch under way.</param>
    /// <param name="Seconds">Of the epoch under way.</param>
    /// <param name="IsFrozen">Whether the owners are frozen.</param>
    public sealed record State(
        int Step, double LossSum, long Correct, long Seen, double Seconds, bool IsFrozen, IReadOnlyList<EpochRecord> History);

    public static void Write(string path, State state, TrainingOptions options, ImageDataset data, string startDigest, TrainableGraph graph,
        Sparsifier sparsifier, NesterovSgd optimizer)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        string run = JsonSerializer.Serialize(Run(options, data)), said = JsonSerializer.Serialize(state);
        var metadata = new Dictionary<string, string>
        {
            ["format"] = Format,
            ["format_version"] = Version,
            ["run"] = run,
            ["state"] = said,
            ["start"] = startDigest,
            ["metadata_sha256"] = Digest(run, said, startDigest),
        };
        SafetensorsWriter.Write(path, Tensors(graph, sparsifier, optimizer).Select(Entry), metadata);
    }

    /// <exception cref="TrainingException">The file is of another run or another model, or is damaged.</exception>
    public static State Read(
        string path, TrainingOptions options, ImageDataset data, string startDigest, TrainableGraph graph, Sparsifier sparsifier,
        NesterovSgd optimizer, int stepsPerEpoch)
    {
        try
        {
            using SafetensorsFile file = SafetensorsFile.Open(path);
            if (file.Metadata.GetValueOrDefault("format") != Format || file.Metadata.GetValueOrDefault("format_version") != Version)
                throw new TrainingException($"{path} is no checkpoint that this version can read (format "
                    + $"'{file.Metadata.GetValueOrDefault("format")}', version '{file.Metadata.GetValueOrDefault("format_version")}', "
                    + $"expected '{Format}', '{Version}').");
            file.VerifyPayload();
            IReadOnlyDictionary<string, string> metadata = file.Metadata;
            if (Digest(metadata["run"], metadata["state"], metadata["start"]) != metadata["metadata_sha256"])
                throw Damaged(path, "what it says of its run does not have the digest that stands beside it.");
            CheckRun(
                path, JsonSerializer.Deserialize<Dictionary<string, string>>(metadata["run"]) ?? throw Damaged(path, "it says no run."),
                Run(options, data));
            State state = JsonSerializer.Deserialize<State>(metadata["state"]) ?? throw Damaged(path, "it says no state.");
            CheckState(path, state, options, stepsPerEpoch);
            if (state.History.Count > 0 && sparsifier.Weights.Count > 0)
                sparsifier.RememberOwners([.. sparsifier.Weights.Select(w => zeros_like(w.Owners).DetachFromDisposeScope())]);
            List<(string Name, Tensor Tensor)> expected = [.. Tensors(graph, sparsifier, optimizer)];
            CheckTensors(path, file, expected);
            if (file.Metadata["start"] != startDigest)
                throw new TrainingException($"The checkpoint {path} is of another run: it started from other weights or other images than "
                    + "these. Give the same model and data, or delete it to start anew.");
            foreach ((string name, Tensor tensor) in expected)
            {
                float[] values = file.ToArray<float>(file.Get(name));
                bool owners = name.StartsWith("owners.", StringComparison.Ordinal) || name.StartsWith("mask.", StringComparison.Ordinal)
                    || name.StartsWith("before.", StringComparison.Ordinal);
                int at = Array.FindIndex(values, value => owners ? value is not (0 or 1) : !float.IsFinite(value));
                if (at >= 0)
                    throw Damaged(path, $"element {at} of {name} is {values[at]}, expected {(owners ? "0 or 1" : "a finite number")}.");
                tensor.Assign(values);
            }

            foreach (SparseWeight weight in sparsifier.Weights)
                weight.Restore(state.IsFrozen);
            if (sparsifier.Weights.FirstOrDefault(weight => !weight.IsFeasible) is { } broken)
                throw Damaged(path, $"the owners of {broken.WeightName} break {broken.Layout.Pattern}, or its mask lacks some of them.");
            return state;
        }
        catch (JsonException error)
        {
            throw Damaged(path, $"{JsonFault.Describe(error)}.");
        }
        catch (KeyNotFoundException)
        {
            throw Damaged(path, "it lacks one of run, state, start and metadata_sha256.");
        }
        catch (SafetensorsException error)
        {
            throw Damaged(path, error.Message);
        }
    }

    private static TrainingException Damaged(string path, string what) =>
        new($"The checkpoint {path} is damaged: {what} Delete it to start anew.");

    private static string Digest(params string[] texts) =>
        Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\0', texts))));

    private static void CheckState(string path, State state, TrainingOptions options, int stepsPerEpoch)
    {
        if (state.History is null || state.History.Contains(null!))
            throw Damaged(path, "its history of epochs is missing or has a hole.");
        bool sums = double.IsFinite(state.LossSum) && double.IsFinite(state.Seconds) && state.Seconds >= 0;
        if (state.Step < 0 || state.Step > (long)stepsPerEpoch * options.Epochs || state.History.Count != state.Step / stepsPerEpoch)
            throw Damaged(
                path, $"it stands at step {state.Step} with {state.History.Count} epochs behind it, expected at most "
                + $"{(long)stepsPerEpoch * options.Epochs} steps and one epoch for each {stepsPerEpoch}.");
        if (state.Correct < 0 || state.Seen < 0 || state.Correct > state.Seen || !sums)
            throw Damaged(
                path, $"it has {state.Correct} of {state.Seen} images right, a loss of {state.LossSum} and {state.Seconds} s, expected "
                + "counts and finite sums.");
    }

    // What a checkpoint and the run that goes on from it must agree in: all that decides what is computed. Threads may differ.
    private static SortedDictionary<string, string> Run(TrainingOptions o, ImageDataset data)
    {
        static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
        static string Names(IReadOnlyList<string> names) =>
            names.Count == 0 ? "none" : string.Join(", ", names.Order(StringComparer.Ordinal));
        return new SortedDictionary<string, string>(StringComparer.Ordinal)
        {
            ["method"] = o.Method.ToString(),
            ["pattern"] = o.Method == TrainingMethod.Dense ? "none" : o.Pattern.ToString(),
            ["epochs"] = Text($"{o.Epochs}"),
            ["batch size"] = Text($"{o.BatchSize}"),
            ["learning rate"] = Text($"{o.LearningRate:r}"),
            ["warm-up"] = Text($"{o.WarmUp:r}"),
            ["momentum"] = Text($"{o.Momentum:r}"),
            ["weight decay"] = Text($"{o.WeightDecay:r}"),
            ["mask decay"] = Text($"{o.MaskDecay:r}"),
            ["mask interval"] = Text($"{o.MaskInterval}"),
            ["freeze at"] = Text($"{o.FreezeAt:r}"),
            ["seed"] = Text($"{o.Seed}"),
            ["validation images"] = Text($"{o.ValidationCount(data.Train.Count)}"),
            ["augmentation"] = o.Augmentation.ToString(),
            ["bf16"] = BFloat16Support.IsUsed(o) ? "on" : "off",
            ["head"] = o.KeepHeadDense ? "dense" : "under a mask",
            ["dense layers"] = Names(o.DenseLayers),
            ["tensors to train"] = Names(o.TrainedTensors),
            ["tensors to freeze"] = Names(o.FrozenTensors),
            ["data"] = Text($"{data.Name}, {data.Train.Count} images"),
        };
    }

    private static void CheckRun(string path, Dictionary<string, string> found, SortedDictionary<string, string> expected)
    {
        foreach ((string key, string value) in expected)
            if (found.GetValueOrDefault(key) != value)
                throw new TrainingException($"The checkpoint {path} is of another run: its {key} is "
                    + $"'{found.GetValueOrDefault(key) ?? "not given"}' and this run's is '{value}'. Give the same options, or delete it "
                    + "to start anew.");
    }

    private static void CheckTensors(string path, SafetensorsFile file, List<(string Name, Tensor Tensor)> expected)
    {
        foreach ((string name, Tensor tensor) in expected)
        {
            if (file.Find(name) is not { } found)
                throw new TrainingException($"The checkpoint {path} is of another model: it has no {name}.");
            if (found.DType != SafetensorsDType.F32 || !found.Shape.AsSpan().SequenceEqual(tensor.shape))
                throw new TrainingException($"The checkpoint {path} is of another model: {name} is {found.DType} "
                    + $"[{string.Join(", ", found.Shape)}], expected F32 [{string.Join(", ", tensor.shape)}].");
        }

        if (file.Tensors.Count != expected.Count)
            throw new TrainingException($"The checkpoint {path} is of another model: it holds {file.Tensors.Count} tensors, expected "
                + $"{expected.Count}.");
    }

    private static IEnumerable<(string Name, Tensor Tensor)> Tensors(TrainableGraph graph, Sparsifier sparsifier, NesterovSgd optimizer)
    {
        foreach ((string name, Tensor tensor) in graph.Parameters)
            yield return ($"parameter.{name}", tensor);
        foreach ((string name, Tensor tensor) in graph.Buffers)
            yield return ($"buffer.{name}", tensor);
        foreach ((string name, Tensor tensor) in optimizer.Momenta)
            yield return ($"momentum.{name}", tensor);
        for (int i = 0; i < sparsifier.Weights.Count; i++)
        {
            SparseWeight weight = sparsifier.Weights[i];
            yield return ($"shadow.{weight.WeightName}", weight.Shadow);
            yield return ($"mask.{weight.WeightName}", weight.Mask);
            yield return ($"owners.{weight.WeightName}", weight.Owners);
            if (sparsifier.OwnersBefore is { } before)
                yield return ($"before.{weight.WeightName}", before[i]);
        }
    }

    private static SafetensorsEntry Entry((string Name, Tensor Tensor) item) =>
        SafetensorsEntry.Of<float>(item.Name, SafetensorsDType.F32, item.Tensor.shape, item.Tensor.ToFloats());
}
