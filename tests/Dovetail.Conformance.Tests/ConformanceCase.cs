using Dovetail.Core.Patterns;
using Dovetail.Onnx.Model;
using Dovetail.Onnx.Passes.Pack;
using Dovetail.Runtime;
using Microsoft.ML.OnnxRuntime;
using ProtoBuf;

namespace Dovetail.Conformance.Tests;

/// <summary>
/// A case of ONNX's own test data: a model, its inputs and the outputs that it must give. Weights and biases that come as
/// run-time inputs are made initializers, since only constants can be packed.
/// </summary>
internal sealed class ConformanceCase
{
    /// <summary>Where the Debian package libonnx-testdata puts its data.</summary>
    public const string DataFolder = "/usr/share/libonnx-testdata/data";

    private readonly string _folder;
    private readonly OnnxModel _model;
    private readonly List<TensorProto> _inputs;

    private ConformanceCase(string folder, OnnxModel model, List<TensorProto> inputs) =>
        (_folder, _model, _inputs) = (folder, model, inputs);

    /// <summary>The names of a family's cases, e.g. of "node".</summary>
    public static IReadOnlyList<string> Names(string family) => !Directory.Exists(DataFolder)
        ? throw new DirectoryNotFoundException($"There is no {DataFolder}; install the Debian package libonnx-testdata (./test.sh does).")
        : [.. Directory.EnumerateDirectories(Path.Combine(DataFolder, family)).Select(path => $"{family}/{Path.GetFileName(path)}")
            .Order(StringComparer.Ordinal)];

    /// <summary>True where the model has an operator that may have packable weights; cheap, before anything is inferred.</summary>
    public static bool HasProduct(string name) =>
        OnnxModel.Load(Path.Combine(DataFolder, name, "model.onnx")).Nodes.Exists(node => node.OpType is "Conv" or "Gemm" or "MatMul");

    public static ConformanceCase Load(string name)
    {
        string folder = Path.Combine(DataFolder, name);
        OnnxModel model = OnnxModel.Load(Path.Combine(folder, "model.onnx"));
        var inputs = new List<TensorProto>();
        string[] names = [.. model.Inputs.Select(input => input.Name)];
        for (int i = 0; i < names.Length; i++)
        {
            TensorProto value = Read(folder, $"input_{i}.pb");
            value.Name = names[i];
            if (model.Nodes.Exists(node => node.OpType is "Conv" or "Gemm" or "MatMul" && node.Inputs.IndexOf(names[i]) > 0))
            {
                model.Graph.Inputs.RemoveAll(input => input.Name == names[i]);
                model.AddInitializer(value);
            }
            else
            {
                inputs.Add(value);
            }
        }

        return new ConformanceCase(folder, model, inputs);
    }

    /// <summary>Packs the model and runs it. Tolerances are those of ONNX's own test runner.</summary>
    public PackingResult CheckPacked(string pattern)
    {
        PackingResult packed = PackingPass.Pack(_model, ComplementaryPattern.Parse(pattern), new PackingOptions { AllowLarger = true });
        using var session = DovetailSession.Create(packed.Model.ToBytes(), new DovetailSessionOptions(1));
        string[] names = [.. _inputs.Select(input => input.Name)];
        OrtValue[] values = [.. _inputs.Select(input => OrtValue.CreateTensorValueFromMemory(input.ToFloats(), [.. input.Dims]))];
        try
        {
            using var options = new RunOptions();
            using IDisposableReadOnlyCollection<OrtValue> outputs = session.Inner.Run(options, names, values, session.Inner.OutputNames);
            for (int i = 0; i < outputs.Count; i++)
                CheckOutput(outputs[i], Read(_folder, $"output_{i}.pb"), pattern);
        }
        finally
        {
            Array.ForEach(values, value => value.Dispose());
        }

        return packed;
    }

    private void CheckOutput(OrtValue value, TensorProto reference, string pattern)
    {
        const float relative = 1e-3f, absolute = 1e-7f;
        Assert.Equal(reference.Dims, value.GetTensorTypeAndShape().Shape);
        float[] expected = reference.ToFloats();
        ReadOnlySpan<float> actual = value.GetTensorDataAsSpan<float>();
        Assert.Equal(expected.Length, actual.Length);
        for (int i = 0; i < expected.Length; i++)
            Assert.True(Math.Abs(actual[i] - expected[i]) <= absolute + relative * Math.Abs(expected[i]), $"{_folder} at {pattern}: output "
                + $"{i} is {actual[i]}, expected {expected[i]}.");
    }

    private static TensorProto Read(string folder, string file)
    {
        using FileStream stream = File.OpenRead(Path.Combine(folder, "test_data_set_0", file));
        return Serializer.Deserialize<TensorProto>(stream);
    }
}
