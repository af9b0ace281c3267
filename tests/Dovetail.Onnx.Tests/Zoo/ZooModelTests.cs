using Dovetail.Onnx.Layers;
using Dovetail.Onnx.Model;
using Dovetail.Onnx.Shapes;
using Dovetail.Onnx.Zoo;

namespace Dovetail.Onnx.Tests.Zoo;

public sealed class ZooModelTests
{
    public static TheoryData<string> Names => [.. ZooModels.Names.Select(n => n.Name)];

    [Theory, MemberData(nameof(Names))]
    public void Each_network_runs_in_ONNX_Runtime_at_any_batch(string name)
    {
        OnnxModel model = Small(name, 1);
        foreach (int batch in new[] { 1, 3 })
        {
            int[] input = InputShape(model, batch, tokens: 7);
            (float[] values, int[] shape) = Assert.Single(
                Oracle.Run(model, Oracle.Uniform(2, input.Aggregate(1, (a, b) => a * b), 0, 1), input)).Value;
            int[] expected = name switch
            {
                "gpt2-small" => [batch, 7, 768],
                "resnet20" or "fashion-cnn" or "mlp" => [batch, 10],
                _ => [batch, 1000],
            };
            Assert.Equal(expected, shape);
            Assert.All(values, v => Assert.True(float.IsFinite(v)));
            Assert.True(values.Distinct().Count() > values.Length / 2);
        }
    }

    [Theory, MemberData(nameof(Names))]
    public void Every_tensor_has_the_shape_that_ONNX_Runtime_computes(string name)
    {
        OnnxModel model = Small(name, 1);
        IReadOnlyDictionary<string, TensorInfo> shapes = ShapeInference.Infer(model);
        OnnxModel all = GraphSlicer.WithOutputs(model, model.Nodes.SelectMany(n => n.Outputs).Where(t => shapes[t].Type == OnnxType.Float));
        int[] input = InputShape(model, batch: 2, tokens: 5);
        foreach ((string tensor, (_, int[] shape)) in Oracle.Run(all, Oracle.Uniform(1, input.Aggregate(1, (a, b) => a * b), 0, 1), input))
            Assert.Equal(
                shape, shapes[tensor].Shape.Select(
                    d => (int)(d.Value
                    ?? d.Symbol switch { "N" => 2, "T" => 5, _ => throw new InvalidOperationException($"{tensor}: {d}") })));
    }

    /// <summary>
    /// Published counts: torchvision's models, timm's vit_small_patch16_224 (4.6 G less attention's own products), MobileNetV2's
    /// paper, GPT-2's 124 M less embeddings and final norm.
    /// </summary>
    [Theory]
    [InlineData("resnet20", 272_474, 0.041)]
    [InlineData("resnet18", 11_689_512, 1.814)]
    [InlineData("resnet50", 25_557_032, 4.089)]
    [InlineData("mobilenet-v2", 3_504_872, 0.301)]
    [InlineData("vit-s", 22_050_664, 4.25)]
    [InlineData("gpt2-small", 85_054_464, 0.0849)]
    public void Parameters_and_products_are_as_published(string name, long parameters, double gigaMacs)
    {
        OnnxModel model = ZooModels.Create(name, 1);
        long counted = model.Graph.Initializers
            .Where(t => t.Name.EndsWith(".weight", StringComparison.Ordinal) || t.Name.EndsWith(".bias", StringComparison.Ordinal)
                || t.Name is "class.token" or "position")
            .Sum(t => t.ElementCount());
        Assert.Equal(parameters, counted);
        OnnxModel oneToken = name == "gpt2-small" ? GraphSlicer.WithDimensions(model, new Dictionary<string, long> { ["T"] = 1 }) : model;
        Assert.Equal(gigaMacs, WeightLayers.Find(oneToken).Sum(l => l.Workload.DenseMacs) / 1e9, gigaMacs * 0.005);
    }

    [Theory]
    [InlineData("fashion-cnn")]
    [InlineData("resnet20")]
    [InlineData("mobilenet-v2")]
    [InlineData("vit-s")]
    [InlineData("gpt2-small")]
    public void Equal_seeds_give_equal_weights_and_others_do_not(string name)
    {
        byte[] one = Small(name, 1).ToBytes();
        Assert.Equal(one, Small("zoo:" + name, 1).ToBytes());
        Assert.NotEqual(one, Small(name, 2).ToBytes());
    }

    [Fact]
    public void A_token_of_GPT2_does_not_see_the_ones_behind_it()
    {
        OnnxModel model = Small("gpt2-small", 3);
        float[] hidden = Oracle.Uniform(4, 6 * 768, -1, 1), changed = [.. hidden];
        for (int i = 4 * 768; i < hidden.Length; i++)
            changed[i] += 1;
        float[] one = Oracle.Run(model, hidden, [1, 6, 768])["states"].Data, other = Oracle.Run(model, changed, [1, 6, 768])["states"].Data;
        Oracle.AssertClose(one[..(4 * 768)], other[..(4 * 768)], 1e-6f);
        Assert.True(Math.Abs(one[4 * 768] - other[4 * 768]) > 0.1);
    }

    [Fact]
    public void Weights_have_the_variance_of_He()
    {
        float[] weights = ZooModels.Create("mlp", 7).FindInitializer("fc1.weight")!.ToFloats();
        Assert.Equal(2.0 / 784, weights.Average(w => (double)w * w), 2.0 / 784 * 0.02);
        Assert.Equal(0, weights.Average(), 0.001);
    }

    [Fact]
    public void What_cannot_be_made_is_answered_with_what_can()
    {
        Assert.Contains("fashion-cnn, mlp", Message("zoo:resnet-1000", new ZooOptions()));
        Assert.Contains("The depth of 'resnet18' cannot be changed", Message("resnet18", new ZooOptions { Depth = 3 }));
        Assert.Contains("image size of 'mlp' cannot", Message("mlp", new ZooOptions { ImageSize = 3 }));
        Assert.Contains("is 100, expected a multiple of 16", Message("vit-s", new ZooOptions { ImageSize = 100 }));
        Assert.Contains("is 0, expected 1 or more", Message("vit-s", new ZooOptions { Depth = 0 }));

        static string Message(string name, ZooOptions options) =>
            Assert.Throws<OnnxException>(() => ZooModels.Create(name, 1, options)).Message;
    }

    private static OnnxModel Small(string name, int seed) =>
        ZooModels.Create(name, seed, name.Replace("zoo:", "", StringComparison.Ordinal) switch
        {
            "resnet20" => new ZooOptions { ImageSize = 16 },
            "vit-s" => new ZooOptions { ImageSize = 48, Depth = 1 },
            "gpt2-small" => new ZooOptions { Depth = 1 },
            "fashion-cnn" or "mlp" => null,
            _ => new ZooOptions { ImageSize = 64 },
        });

    private static int[] InputShape(OnnxModel model, int batch, int tokens) =>
        [.. model.Inputs[0].Type!.Tensor!.Shape!.Dims.Select(d => (int)(d.Value ?? (d.Symbol == "N" ? batch : tokens)))];
}
