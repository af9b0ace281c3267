using Dovetail.Core.Operators;
using Dovetail.Core.Patterns;
using Dovetail.Onnx.Inspection;
using Dovetail.Onnx.Layers;
using Dovetail.Onnx.Model;
using Dovetail.Onnx.Passes.Pack;
using Dovetail.Onnx.Pruning;
using Dovetail.Tests.Kernels;
using Microsoft.ML.OnnxRuntime;
using static Dovetail.Runtime.Tests.LayerGraphs;

namespace Dovetail.Runtime.Tests;

/// <summary>
/// Every form in which a model may hold a layer: pruned, packed where there is a packed operator, listed, and equal to the pruned
/// model in plain ONNX Runtime.
/// </summary>
public sealed class LayerFormTests
{
    private static readonly ComplementaryPattern s_pattern = ComplementaryPattern.Parse("1:8");

    /// <summary>Input shape, nodes, constants, and how many layers are pruned and packed.</summary>
    private sealed record Form(
        long[] Input, NodeProto[] Nodes, TensorProto[] Constants, int Pruned, int Packed, OnnxType Type = OnnxType.Float);

    private static readonly Dictionary<string, Form> s_forms = new()
    {
        ["constant on the left"] = new([32, 5], [N("MatMul", "w x")], [Random("w", 24, 32)], 1, 1),
        ["constant on the left of a batch"] = new([3, 32, 5], [N("MatMul", "w x")], [Random("w", 24, 32)], 1, 1),
        ["transA"] = new([32, 5], [N("Gemm", "x w").With("transA", 1)], [Random("w", 32, 24)], 1, 1),
        ["transposed weights"] = new([5, 32], [N("Transpose", "w", "t"), N("MatMul", "x t")], [Random("w", 24, 32)], 1, 1),
        ["identity and reshape"] = new(
            [5, 32], [N("Identity", "w", "i"), N("Reshape", "i s", "r"), N("MatMul", "x r")], [Random("w", 4, 8, 24), Ints("s", 32, -1)], 1,
            1),
        ["cast from half precision"] = new(
            [5, 32], [N("Cast", "w", "c").With("to", 1), N("MatMul", "x c")], [Half("w", 32, 24)], 1, 1),
        ["signal"] = new([2, 16, 20], [N("Conv", "x w b").With("pads", [1L, 1]),], [Random("w", 24, 16, 3), Random("b", 24)], 1, 1),
        ["signal with groups and strides"] = new(
            [2, 32, 21], [N("Conv", "x w").With("group", 2).With("strides", [2L]).With("dilations", [2L])], [Random("w", 24, 16, 3)], 1, 1),
        ["signal padded to the same length"] = new(
            [2, 16, 20], [N("Conv", "x w").With("auto_pad", "SAME_UPPER")], [Random("w", 24, 16, 4)], 1, 1),
        ["signals in a row"] = new(
            [2, 16, 20], [N("Conv", "x w", "c"), N("Relu", "c", "r"), N("Conv", "r v")], [Random("w", 16, 16, 3), Random("v", 8, 16, 3)], 2,
            2),
        ["volume"] = new([1, 16, 5, 6, 7], [N("Conv", "x w")], [Random("w", 8, 16, 2, 3, 2)], 1, 0),
        ["transposed convolution"] = new([1, 16, 5, 6], [N("ConvTranspose", "x w")], [Random("w", 16, 8, 3, 3)], 1, 0),
        ["transposed convolution in groups"] = new(
            [1, 16, 5, 6], [N("ConvTranspose", "x w").With("group", 2)], [Random("w", 16, 4, 3, 3)], 1, 0),
        ["lstm"] = new(
            [4, 1, 16], [N("LSTM", "x w r b", "h").With("hidden_size", 8), N("Squeeze", "h one")],
            [Random("w", 1, 32, 16), Random("r", 1, 32, 8), Random("b", 1, 64), Ints("one", 1)], 2, 0),
        ["shared weights"] = new(
            [5, 32], [N("MatMul", "x w", "a"), N("Relu", "a", "b"), N("MatMul", "b w")], [Random("w", 32, 32)], 2, 2),
        ["half precision"] = new([5, 32], [N("MatMul", "x w")], [Half("w", 32, 24)], 1, 1, OnnxType.Float16),
        ["half precision image"] = new([1, 16, 6, 6], [N("Conv", "x w")], [Half("w", 8, 16, 3, 3)], 1, 1, OnnxType.Float16),
        ["double"] = new([5, 32], [N("MatMul", "x w")], [Double("w", 32, 24)], 1, 0, OnnxType.Double),
    };

    public static TheoryData<string> Forms => [.. s_forms.Keys];

    [Theory]
    [MemberData(nameof(Forms))]
    public void A_layer_is_found_pruned_packed_and_computes_the_same(string name)
    {
        Form form = s_forms[name];
        OnnxModel model = Model(form);
        PruningResult pruned = PruningPass.Prune(model, s_pattern, new PruningOptions { Head = true });
        Assert.Equal(form.Pruned, pruned.Layers.Count(layer => layer.Pattern is not null));
        OnnxModel sparse = OnnxModel.Parse(pruned.Model.ToBytes());
        Assert.All(WeightLayers.Find(sparse), layer => Assert.Equal(
            layer.Shape.Count / 8, layer.GetNonZeros().Count(nonZero => nonZero)));
        float[] expected = Run(sparse, form);

        if (form.Packed == 0)
        {
            var error = Assert.Throws<NothingPackedException>(() => PackingPass.PackDeclared(sparse));
            Assert.All(error.Layers, layer => Assert.Matches("no packed operator|double", layer.DenseReason!));
            return;
        }

        PackingResult packed = PackingPass.PackDeclared(sparse, new PackingOptions { AllowLarger = true });
        Assert.Equal(form.Packed, packed.Layers.Count(layer => layer.IsPacked));
        Assert.Equal(form.Packed, PackedWeights.Nodes(packed.Model).Count());
        float[] actual = Run(OnnxModel.Parse(packed.Model.ToBytes()), form);
        float largest = expected.Max(MathF.Abs), tolerance = form.Type == OnnxType.Float16 ? 5e-3f : 1e-5f;
        Assert.Equal(expected.Length, actual.Length);
        for (int i = 0; i < expected.Length; i++)
            Assert.True(Math.Abs(expected[i] - actual[i]) <= tolerance * largest, $"element {i}: {actual[i]}, expected {expected[i]}");
    }

    [Fact]
    public void Layers_inside_branches_and_loops_are_layers_with_a_path()
    {
        OnnxModel model = Branches();
        Assert.Equal(
            ["fc", "choose/then_branch/inner", "choose/else_branch/matmul"], WeightLayers.Find(model).Select(layer => layer.Name));
        OnnxModel sparse = PruningPass.Prune(model, s_pattern, new PruningOptions { Head = true }).Model;
        PackingResult packed = PackingPass.PackDeclared(sparse, new PackingOptions { AllowLarger = true });
        Assert.Equal(3, packed.Layers.Count(layer => layer.IsPacked));
        Assert.Equal(
            ["fc", "choose/then_branch/inner", "choose/else_branch/matmul"],
            PackedWeights.Nodes(packed.Model).Select(entry => entry.Node.Name));
        Assert.Equal(3, PackedModelReader.Read(packed.Model).Layers.Count(layer => !layer.Weights.Pattern.IsDense));
        foreach (float sign in (float[])[1, -1])
        {
            float[] input = [.. RandomLayer.Floats(5 * 32, new Random(8)).Select(value => sign * Math.Abs(value))];
            float[] expected = Run(sparse, input), actual = Run(packed.Model, input);
            for (int i = 0; i < expected.Length; i++)
                Assert.Equal(expected[i], actual[i], 1e-4f);
        }

        static float[] Run(OnnxModel model, float[] input)
        {
            using var session = DovetailSession.Create(model.ToBytes(), new DovetailSessionOptions(1));
            return session.Run(input, [5, 32]);
        }
    }

    [Fact]
    public void Weights_that_Constant_nodes_hold_are_told_apart_by_what_the_nodes_make()
    {
        float[] weights = RandomLayer.Floats(32 * 32, new Random(6));
        TensorProto first = TensorData.Create<float>("", [32, 32], weights);
        TensorProto second = TensorData.Create<float>("", [32, 32], [.. weights.Reverse()]);
        var form = new Form([5, 32], [Held("w", first), Held("v", second), N("MatMul", "x w", "a"), N("MatMul", "a v")], [], 2, 2);
        OnnxModel model = Model(form);
        Assert.Equal(["w", "v"], WeightLayers.Find(model).Select(layer => layer.WeightName));
        Assert.All(WeightFileLayers(model), layer => Assert.Equal(1, layer.Readers));

        OnnxModel sparse = PruningPass.Prune(model, s_pattern, new PruningOptions { Head = true }).Model;
        OnnxModel packed = PackingPass.PackDeclared(sparse, new PackingOptions { AllowLarger = true }).Model;
        Assert.Equal(2, PackedWeights.Nodes(packed).Count());
        AssertClose(Run(sparse, form), Run(packed, form));

        static NodeProto Held(string output, TensorProto value)
        {
            var node = new NodeProto("Constant", output, [], [output]);
            node.Attributes.Add(new AttributeProto { Name = "value", T = value, Type = AttributeType.Tensor });
            return node;
        }
    }

    [Fact]
    public void A_size_that_is_not_known_contradicts_no_other()
    {
        var form = new Form(
            [1, 16, 6, 6], [N("Conv", "x w", "c"), N("Add", "c b")], [Random("w", 16, 16, 1, 1), Random("b", 1, 16, 6, 6)], 1, 1);
        OnnxModel model = Model(form);
        model.Graph.Inputs[0] = ValueInfoProto.Tensor("x", OnnxType.Float, [1, 16, "H", "W"]);
        OnnxModel sparse = PruningPass.Prune(model, s_pattern, new PruningOptions { Head = true }).Model;
        OnnxModel packed = PackingPass.PackDeclared(sparse, new PackingOptions { AllowLarger = true }).Model;
        Assert.Contains(packed.Nodes, node => node.Is(OperatorSet.PackedConv));
        AssertClose(Run(sparse, form), Run(packed, form));
    }

    [Theory]
    [InlineData("19-slice-opset9-attributes/m_slice9.onnx")]
    [InlineData("19-unsupported-operator-refuses-model/m_ConvTranspose.onnx")]
    [InlineData("19-unsupported-operator-refuses-model/m_PRelu.onnx")]
    [InlineData("20-constant-value-attributes/cfloat.onnx")]
    [InlineData("20-constant-value-attributes/cints.onnx")]
    [InlineData("20-local-function/func.onnx")]
    [InlineData("20-layer-detection-differs/transA.onnx")]
    [InlineData("20-layer-detection-differs/wtrans.onnx")]
    [InlineData("20-external-data-size/extok.onnx")]
    [InlineData("20-fp16-fp64-pack-invalid/f16.onnx")]
    public void A_model_that_was_once_refused_or_broken_packs_and_runs(string file)
    {
        OnnxModel model = OnnxModel.Load(Path.Combine(Repository.Root, "tests", "Cases", file));
        OnnxModel sparse = PruningPass.Prune(model, s_pattern, new PruningOptions { Head = true }).Model;
        PackingResult packed = PackingPass.PackDeclared(sparse, new PackingOptions { AllowLarger = true });
        Assert.Contains(packed.Layers, layer => layer.IsPacked);
        Assert.All(WeightLayers.Find(sparse).Select(layer => layer.Name), name =>
            Assert.Contains(packed.Layers, layer => layer.Name == name));
        var shape = new Form(
            [.. model.Inputs[0].Type!.Tensor!.Shape!.Dims.Select(d => d.Value ?? 1)], [], [], 1, 1,
            model.Inputs[0].Type!.Tensor!.ElementType);
        float[] expected = Run(sparse, shape), actual = Run(packed.Model, shape);
        float largest = expected.Max(MathF.Abs);
        for (int i = 0; i < expected.Length; i++)
            Assert.True(Math.Abs(expected[i] - actual[i]) <= (shape.Type == OnnxType.Float16 ? 5e-3f : 1e-5f) * largest);
    }

    [Fact]
    public void An_operator_of_another_domain_is_kept_verbatim()
    {
        OnnxModel model = OnnxModel.Load(Path.Combine(Repository.Root, "tests/Cases/19-unsupported-operator-refuses-model/m_Custom.onnx"));
        NodeProto custom = model.Nodes.Single(node => node.Domain.Length > 0);
        OnnxModel packed = PackingPass.Pack(model, s_pattern).Model;
        NodeProto kept = packed.Nodes.Single(node => node.Domain == custom.Domain && node.OpType == custom.OpType);
        Assert.Equal((custom.Name, custom.Attributes.Count), (kept.Name, kept.Attributes.Count));
        Assert.Equal(custom.Inputs, kept.Inputs);
        Assert.Equal(custom.Outputs, kept.Outputs);
        Assert.Contains(packed.Nodes, node => node.Is(OperatorSet.PackedConv));
    }

    [Fact]
    public void Weights_of_functions_are_stored_once_and_seen_at_every_call()
    {
        OnnxModel model = OnnxModel.Load(Path.Combine(Repository.Root, "tests/Cases/20-local-function/func.onnx"));
        Assert.Equal(["fn/gemm", "fc"], WeightLayers.Find(model).Select(layer => layer.Name));
        Assert.Equal(2, WeightFileLayers(model).Single(layer => layer.Name == "fc").Readers);
        OnnxModel packed = PackingPass.Pack(model, s_pattern, new PackingOptions { AllowLarger = true }).Model;
        Assert.Equal(1, packed.Graph.Initializers.Count(tensor => tensor.Name.Contains("weight_packed", StringComparison.Ordinal)));
    }

    private static IReadOnlyList<WeightEntry> WeightFileLayers(OnnxModel model)
    {
        using var folder = new TemporaryFolder();
        string path = folder.File("model.onnx");
        model.Save(path);
        using WeightFile file = WeightFile.Open(path);
        return file.ReadEntries();
    }

    // if (sum > 0) Gemm with weights of its own, else MatMul with the weights of the graph around it
    private static OnnxModel Branches()
    {
        var positive = new GraphProto { Name = "then" };
        positive.Initializers.Add(Random("v", 32, 16));
        positive.Nodes.AddRange([N("MatMul", "h v", "p", "inner"), N("Relu", "p", "q")]);
        positive.Outputs.Add(ValueInfoProto.Tensor("q", OnnxType.Float, [5, 16]));
        var negative = new GraphProto { Name = "else" };
        negative.Nodes.AddRange([N("MatMul", "h u", "n", "")]);
        negative.Outputs.Add(ValueInfoProto.Tensor("n", OnnxType.Float, [5, 16]));
        NodeProto choose = N("If", "c", "y", "choose");
        choose.Attributes.Add(new AttributeProto { Name = "then_branch", G = positive, Type = AttributeType.Graph });
        choose.Attributes.Add(new AttributeProto { Name = "else_branch", G = negative, Type = AttributeType.Graph });
        return Model(new Form(
            [5, 32],
            [
                N("MatMul", "x w", "h", "fc"), N("ReduceSum", "x", "s", "sum").With("keepdims", 0), N("Greater", "s zero", "c", "sign"),
                    choose,
            ],
            [Random("w", 32, 32), Random("u", 32, 16), TensorData.Scalar("zero", 0f)], 3, 3));
    }

    private static OnnxModel Model(Form form) => OnnxModel.Parse(new OnnxModel(Build(
        form.Input, 17, form.Nodes.Select(node => ProtoBuf.Serializer.DeepClone(node)),
        form.Constants.Select(tensor => ProtoBuf.Serializer.DeepClone(tensor)), form.Type)).ToBytes());

    private static float[] Run(OnnxModel model, Form form)
    {
        using var session = DovetailSession.Create(model.ToBytes(), new DovetailSessionOptions(1));
        float[] values = RandomLayer.Floats((int)form.Input.Aggregate(1L, (a, b) => a * b), new Random(4));
        using OrtValue input = form.Type switch
        {
            OnnxType.Float16 => OrtValue.CreateTensorValueFromMemory(Array.ConvertAll(values, v => (Float16)v), form.Input),
            OnnxType.Double => OrtValue.CreateTensorValueFromMemory(Array.ConvertAll(values, v => (double)v), form.Input),
            _ => OrtValue.CreateTensorValueFromMemory(values, form.Input),
        };
        using var options = new RunOptions();
        using IDisposableReadOnlyCollection<OrtValue> outputs =
            session.Inner.Run(options, [session.InputName], [input], [session.Inner.OutputNames[0]]);
        return form.Type switch
        {
            OnnxType.Float16 => Array.ConvertAll(outputs[0].GetTensorDataAsSpan<Float16>().ToArray(), v => (float)v),
            OnnxType.Double => Array.ConvertAll(outputs[0].GetTensorDataAsSpan<double>().ToArray(), v => (float)v),
            _ => outputs[0].GetTensorDataAsSpan<float>().ToArray(),
        };
    }

    private static TensorProto Half(string name, params long[] dims) =>
        TensorData.Create<Half>(name, dims, Array.ConvertAll(Random(name, dims).ToFloats(), v => (Half)v));

    private static TensorProto Double(string name, params long[] dims) =>
        TensorData.Create<double>(name, dims, Array.ConvertAll(Random(name, dims).ToFloats(), v => (double)v));

    private static TensorProto Ints(string name, params long[] values) => TensorData.Create<long>(name, [values.Length], values);
}
