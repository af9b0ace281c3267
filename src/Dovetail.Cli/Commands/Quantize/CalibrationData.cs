using Dovetail.Cli.Codesign;
using Dovetail.Cli.Commands.Run;
using Dovetail.Core;
using Dovetail.Data;
using Dovetail.Data.Tensors;
using Dovetail.Onnx.Model;
using Dovetail.Runtime;

namespace Dovetail.Cli.Commands.Quantize;

/// <summary>Runs whose rows have labels.</summary>
internal sealed record LabelledRuns(IReadOnlyList<IReadOnlyList<InputTensor>> Runs, byte[] Labels);

/// <summary>
/// What a model is fed for calibration.
/// 1. A data set: batches of its training images; its test images with their labels beside.
/// 2. A folder of files for a model with one input: their rows in batches, or a run a file where the files differ in shape.
/// 3. A folder with NAME/ (a file a run, in the order of their names) or NAME.npy (the same for all runs) for each input of a model with
///    several.
/// </summary>
/// <param name="Runs">All inputs of each run.</param>
/// <param name="Count">Inputs in all runs.</param>
/// <param name="Test">Null for files without labels.</param>
internal sealed record CalibrationData(IReadOnlyList<IReadOnlyList<InputTensor>> Runs, int Count, LabelledRuns? Test)
{
    private const int BatchSize = 32;

    private static readonly string[] s_kinds = [".npy", ".png", ".jpg", ".jpeg"];

    /// <param name="most">Inputs to take at most.</param>
    /// <param name="source">As the user names the model.</param>
    public static CalibrationData Read(OnnxModel model, string data, int most, string source)
    {
        using var session = DovetailSession.Create(model.ToBytes(), new DovetailSessionOptions(1));
        IReadOnlyList<ModelInput> inputs = new ModelRun(session).Inputs;
        if (inputs is [])
            throw new DovetailException($"'{source}' has no inputs; there is nothing to calibrate on.");
        if (inputs is not [var input])
            return OfSeveral(inputs, data, most);
        string[] files = Files(data);
        return files.Length > 0 ? OfFiles([.. files.Take(most)], input, most)
            : input.ElementType == typeof(float) ? OfImages(data, input, most)
            : throw new DovetailException(
                $"The model takes {input}, and a data set holds images. Give a folder of .npy files that fit with --data.");
    }

    private static string[] Files(string folder) => Directory.Exists(folder)
        ? [.. Directory.EnumerateFiles(folder).Where(path => s_kinds.Contains(Path.GetExtension(path).ToLowerInvariant()))
            .Order(StringComparer.Ordinal)]
        : [];

    private static CalibrationData OfFiles(string[] files, ModelInput input, int most)
    {
        ModelInput any = input.Shape.Length > 0 ? input with { Shape = [-1, .. input.Shape[1..]] } : input;
        FileTensor[] tensors = [.. files.Select(file => InputFile.Read(file, any, PixelScaling.Default))];
        if (input.Shape.Length < 2 || tensors.Any(one => !one.Shape.AsSpan(1).SequenceEqual(tensors[0].Shape.AsSpan(1))))
            return new CalibrationData(
                [.. tensors.Zip(files, (tensor, file) => (IReadOnlyList<InputTensor>)[Checked(tensor, input, file)])],
                tensors.Length, null);
        FileTensor all = InputBatch.Stack(tensors, files);
        int batch = input.Shape[0] > 0 ? input.Shape[0] : BatchSize;
        long rows = Math.Min(all.Shape[0], most);
        if (input.Shape[0] > 0)
            rows -= rows % batch;
        if (rows == 0)
            throw new DovetailException($"{all.Shape[0]} inputs do not fill one batch of the model, {batch}.");
        return new CalibrationData([.. Batches(all, rows, batch, input.Name)], (int)rows, null);
    }

    private static InputTensor Checked(FileTensor tensor, ModelInput input, string file) => input.Fits(tensor.Shape)
        ? new InputTensor(input.Name, tensor.Values, tensor.Shape)
        : throw new TensorFileException($"'{file}' holds {tensor}, which does not fit the input {input}.");

    private static IEnumerable<IReadOnlyList<InputTensor>> Batches(FileTensor all, long rows, int batch, string name)
    {
        for (long first = 0; first < rows; first += batch)
        {
            FileTensor part = InputBatch.Slice(all, first, Math.Min(batch, rows - first));
            yield return [new InputTensor(name, part.Values, part.Shape)];
        }
    }

    private static CalibrationData OfSeveral(IReadOnlyList<ModelInput> inputs, string data, int most)
    {
        string[][] files = [.. inputs.Select(input => FilesOf(input, inputs, data))];
        int runs = files.Max(each => each.Length);
        foreach ((ModelInput input, string[] each) in inputs.Zip(files))
            if (each.Length != runs && each.Length != 1)
                throw new DovetailException($"'{data}' has {each.Length} files for the input '{input.Name}' and {runs} for another; "
                    + "expected as many for each, or one for all runs.");
        runs = Math.Min(runs, most);
        InputTensor[][] tensors = [.. inputs.Zip(files, (input, each) => each.Take(runs).Select(file =>
        {
            FileTensor tensor = InputFile.Read(file, input, PixelScaling.Default);
            return new InputTensor(input.Name, tensor.Values, tensor.Shape);
        }).ToArray())];
        return new CalibrationData(
            [.. Enumerable.Range(0, runs).Select(run =>
                (IReadOnlyList<InputTensor>)[.. tensors.Select(each => each[each.Length == 1 ? 0 : run])])], runs, null);
    }

    private static string[] FilesOf(ModelInput input, IReadOnlyList<ModelInput> inputs, string data)
    {
        string name = string.Join('_', input.Name.Split(Path.GetInvalidFileNameChars()));
        string[] files = name is "." or ".." ? [] : Files(Path.Combine(data, name));
        if (files.Length == 0 && File.Exists(Path.Combine(data, $"{name}.npy")))
            files = [Path.Combine(data, $"{name}.npy")];
        return files.Length > 0 ? files : throw new DovetailException(
            $"The model has {inputs.Count} inputs, {string.Join("; ", inputs)}, and '{data}' has nothing for '{input.Name}'. Expected a "
            + $"folder with {name}/ (a file a run) or {name}.npy (the same for all runs), and the like for the others.");
    }

    private static CalibrationData OfImages(string data, ModelInput input, int most)
    {
        var images = new JobImages(FashionMnist.LoadNamedOrFolder(data));
        int batch = input.Shape is [> 0, ..] ? input.Shape[0] : BatchSize;
        if (!input.Fits([batch, .. images.Shape]))
            throw new DovetailException(
                $"The model takes {input}, and the images of {images.Data.Name} are float [N, {string.Join(", ", images.Shape)}]. "
                + "Give a folder of inputs that fit with --data.");
        int count = Math.Min(most, images.Data.Train.Count) / batch * batch;
        if (count == 0 && images.Data.Train.Count < batch)
            throw new DovetailException($"{images.Data.Train.Count} training images do not fill one batch of the model, {batch}.");
        count = count == 0 ? batch : count;
        bool whole = images.Data.Test.Count % batch == 0 || input.Shape[0] < 0;
        return new CalibrationData(
            [.. Batches(Tensor(images.Calibration(count), count), count, batch, input.Name)], count,
            whole ? new LabelledRuns(
                [.. Batches(Tensor(images.Test(), images.Data.Test.Count), images.Data.Test.Count, batch, input.Name)],
                images.Data.Test.Labels) : null);

        FileTensor Tensor(float[] values, int rows) => new(values, [rows, .. images.Shape]);
    }
}
