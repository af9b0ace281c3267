using Dovetail.Core;
using Dovetail.Core.Operators;
using Dovetail.Core.Patterns;
using Dovetail.Onnx.Model;
using Dovetail.Onnx.Passes.Pack;
using Dovetail.Onnx.Pruning;
using Dovetail.Runtime;
using Microsoft.ML.OnnxRuntime;

namespace Dovetail.Conformance.Tests;

/// <summary>
/// Every operator of ONNX's node tests between two convolutions: whatever it is, the model is pruned and packed, and runs as before.
/// 1. The operator's first input depends on the first convolution (plus 0 · its mean), the second convolution on the operator (plus 0 ·
///    the sum of its output's shape), so that every value stays what the reference says.
/// 2. Operators that ONNX Runtime does not run must be kept to the byte nevertheless.
/// </summary>
public sealed class BarrierTests
{
    private static readonly ComplementaryPattern s_pattern = ComplementaryPattern.Parse("1:8");

    /// <summary>The node cases, in pieces that name the operator.</summary>
    public static TheoryData<string> Operators =>
        [.. ConformanceCase.Names("node").Select(name => Load(name).Nodes[^1].OpType).Distinct().Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Operators))]
    public void An_operator_between_two_convolutions_is_kept_and_costs_nothing_but_itself(string op)
    {
        int run = 0;
        foreach (string name in ConformanceCase.Names("node"))
        {
            OnnxModel model = Load(name);
            if (model.Nodes[^1].OpType == op)
                Check(op, name, model, ref run);
        }
    }

    /// <summary>Operators that came after the data, in the set that brought them or changed them last.</summary>
    public static TheoryData<string> NewOperators => [.. NewOperatorModels.Names];

    [Theory]
    [MemberData(nameof(NewOperators))]
    public void So_is_one_that_is_newer_than_the_data(string name)
    {
        int run = 0;
        OnnxModel model = NewOperatorModels.Create(name);
        Check(model.Nodes[^1].OpType, name, model, ref run);
        Assert.Equal(1, run); // ONNX Runtime runs all of them
    }

    private static void Check(string op, string name, OnnxModel model, ref int run)
    {
        List<string> before = [.. model.Nodes
                .Where(node => node.Outputs.Exists(output => model.IsOutput(output) || model.Consumers(output).Count > 0))
                .Select(node => Words(node, ""))];
        string linked = Surround(model);
        OnnxModel sparse = PruningPass.Prune(model, s_pattern, new PruningOptions { Head = true }).Model;
        PackingResult packed = PackingPass.Pack(sparse, s_pattern, new PackingOptions { AllowLarger = true });
        Assert.Equal(2, packed.Model.Nodes.Count(node => node.Is(OperatorSet.PackedConv)));
        List<string> after = [.. packed.Model.Nodes.Select(node => Words(node, linked))];
        Assert.True(
            op is "Transpose" or "Conv" or "Gemm" or "MatMul" or "Clip" or "Relu" or "MaxPool" or "AveragePool"
            || before.TrueForAll(after.Contains), $"{name}: {string.Join("; ", before.Except(after))} is not kept.");
        if (run < 3 && Runs(sparse) is { } expected)
        {
            Compare(name, expected, Run(packed.Model));
            run++;
        }
    }

    private static OnnxModel Load(string name) => OnnxModel.Load(Path.Combine(ConformanceCase.DataFolder, name, "model.onnx"));

    // "linked_" is what the first convolution makes of this input; the rest of a node must stay.
    private static string Words(NodeProto node, string linked) =>
        $"{node.Domain}.{node.OpType}({string.Join(", ", node.Inputs.Select(input => input == "linked_" ? linked : input))}) → "
        + $"{string.Join(", ", node.Outputs)} " + string.Join(", ", node.Attributes.Select(attribute => attribute.Name));

    private static string Surround(OnnxModel model)
    {
        GraphProto graph = model.Graph;
        graph.Name = "barrier";
        ValueInfoProto? first = graph.Inputs.FirstOrDefault(
            input => input.Type?.Tensor is { ElementType: OnnxType.Float, Shape: not null });
        ValueInfoProto? result = graph.Outputs.FirstOrDefault(output => output.Type?.Tensor is not null);
        var random = new Random(3);
        graph.Inputs.Add(ValueInfoProto.Tensor("image_", OnnxType.Float, [1, 16, 4, 4]));
        foreach (string weights in (string[])["w1_", "w2_"])
            model.AddInitializer(TensorData.Create<float>(
                weights, [16, 16, 1, 1], [.. Enumerable.Range(0, 256).Select(_ => random.NextSingle() - 0.5f)]));
        model.AddInitializer(TensorData.Scalar("zero_", 0f));
        List<NodeProto> own = [.. graph.Nodes];
        graph.Nodes.Clear();
        graph.Nodes.Add(new NodeProto("Conv", "before_", ["image_", "w1_"], ["c1_"]));
        string next = "c1_";
        if (first is not null)
        {
            graph.Nodes.AddRange(
            [
                new NodeProto("GlobalAveragePool", "mean_", ["c1_"], ["m1_"]),
                new NodeProto("ReduceMax", "scalar_", ["m1_"], ["s1_"]).With("keepdims", 0),
                new NodeProto("Mul", "nothing_", ["s1_", "zero_"], ["n1_"]),
                new NodeProto("Add", "same_", [first.Name, "n1_"], ["linked_"]),
            ]);
            foreach (NodeProto node in own)
                for (int i = 0; i < node.Inputs.Count; i++)
                    if (node.Inputs[i] == first.Name)
                        node.Inputs[i] = "linked_";
        }

        graph.Nodes.AddRange(own);
        if (result is not null)
        {
            graph.Nodes.AddRange(
            [
                new NodeProto("Shape", "shape_", [result.Name], ["d_"]),
                new NodeProto("Size", "rank_", ["d_"], ["r_"]),
                new NodeProto("Cast", "float_", ["r_"], ["f_"]).With("to", 1),
                new NodeProto("Mul", "none_", ["f_", "zero_"], ["n2_"]),
                new NodeProto("Add", "image2_", ["c1_", "n2_"], ["i2_"]),
            ]);
            next = "i2_";
        }

        graph.Nodes.Add(new NodeProto("Conv", "after_", [next, "w2_"], ["c2_"]));
        graph.Outputs.Add(ValueInfoProto.Tensor("c2_", OnnxType.Float, [1, 16, 4, 4]));
        if (model.OpsetVersion() == 0)
            model.SetOpsetVersion("", 15);
        return first?.Name ?? "";
    }

    private static List<float[]?>? Runs(OnnxModel model)
    {
        try
        {
            return Run(model);
        }
        catch (Exception error) when (error is OnnxRuntimeException or NotSupportedException or DovetailException)
        {
            return null; // not one of ONNX Runtime's, or an input of a type that is not fed here
        }
    }

    /// <summary>The floating-point outputs; null for the others.</summary>
    private static List<float[]?> Run(OnnxModel model)
    {
        using var session = DovetailSession.Create(model.ToBytes(), new DovetailSessionOptions(1));
        var random = new Random(5);
        string[] names = [.. session.Inner.InputMetadata.Keys];
        List<OrtValue> values = [];
        try
        {
            foreach (string name in names)
                values.Add(Value(session.Inner.InputMetadata[name], random));
            using var options = new RunOptions();
            using IDisposableReadOnlyCollection<OrtValue> outputs = session.Inner.Run(options, names, values, session.Inner.OutputNames);
            return [.. outputs.Select(output => output is { IsTensor: true } && output.GetTensorTypeAndShape().ElementDataType
                == Microsoft.ML.OnnxRuntime.Tensors.TensorElementType.Float ? output.GetTensorDataAsSpan<float>().ToArray() : null)];
        }
        finally
        {
            values.ForEach(value => value.Dispose());
        }
    }

    private static OrtValue Value(NodeMetadata input, Random random)
    {
        if (!input.IsTensor || input.ElementType != typeof(float))
            throw new NotSupportedException();
        long[] shape = Array.ConvertAll(input.Dimensions, d => (long)Math.Max(1, d));
        float[] values = new float[shape.Aggregate(1L, (product, d) => product * d)];
        for (int i = 0; i < values.Length; i++)
            values[i] = random.NextSingle();
        return OrtValue.CreateTensorValueFromMemory(values, shape);
    }

    private static void Compare(string name, List<float[]?> expected, List<float[]?> actual)
    {
        Assert.Equal(expected.Count, actual.Count);
        for (int output = 0; output < expected.Count; output++)
        {
            Assert.Equal(expected[output]?.Length, actual[output]?.Length);
            for (int i = 0; i < (expected[output]?.Length ?? 0); i++)
            {
                float e = expected[output]![i], a = actual[output]![i];
                Assert.True(
                    e.Equals(a) || Math.Abs(e - a) <= 1e-4f * (1 + Math.Abs(e)),
                    $"{name}, output {output}, element {i}: {a}, expected {e}.");
            }
        }
    }
}
