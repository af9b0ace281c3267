using Dovetail.Core.Patterns;
using Dovetail.Onnx.Layers;
using Dovetail.Onnx.Model;
using Dovetail.Onnx.Passes.Pack;

namespace Dovetail.Onnx.Tests.Layers;

/// <summary>What a sparse model declares of its layers is what is packed.</summary>
public sealed class LayerPatternsTests
{
    [Fact]
    public void A_model_is_packed_by_what_it_declares()
    {
        OnnxModel model = Graphs.Trained("fashion-cnn", 3);
        var patterns = new Dictionary<string, ComplementaryPattern>
        {
            ["down1"] = new(1, 4),
            ["block1.conv2"] = ComplementaryPattern.Parse("4:64"),
            ["head"] = ComplementaryPattern.Parse("1:8")
        };
        foreach (WeightLayer layer in WeightLayers.Find(model).Where(l => patterns.ContainsKey(l.Name)))
            layer.ProjectOnto(patterns[layer.Name]);

        LayerPatterns.Declare(model, patterns);
        OnnxModel read = OnnxModel.Parse(model.ToBytes());
        Assert.Equal(patterns.OrderBy(p => p.Key), LayerPatterns.Find(read)!.OrderBy(p => p.Key));
        Assert.Null(read.FindMetadata(LayerPatterns.CommonMetadata)); // there is no one pattern
        PackingResult packed = PackingPass.PackDeclared(read);
        Assert.Equal(
            patterns.OrderBy(p => p.Key), packed.Layers.Where(l => l.Pattern is not null).ToDictionary(l => l.Name, l => l.Pattern!)
            .OrderBy(p => p.Key));
        Assert.Equal("the model declares it dense", packed.Layers.Single(l => l.Name == "down2").DenseReason);
        Assert.Null(packed.Model.FindMetadata(LayerPatterns.Metadata));
        Assert.Null(packed.Model.FindMetadata(LayerPatterns.CommonMetadata));
    }

    [Fact]
    public void One_pattern_for_all_is_said_once_more()
    {
        OnnxModel model = Graphs.Sparse("mlp", 3, "1:16");
        LayerPatterns.Declare(model, new Dictionary<string, ComplementaryPattern> { ["fc1"] = new(1, 16), ["fc2"] = new(1, 16) });
        Assert.Equal("1:16", model.FindMetadata(LayerPatterns.CommonMetadata));
        Assert.Equal("{\"fc1\":\"1:16\",\"fc2\":\"1:16\"}", model.FindMetadata(LayerPatterns.Metadata));
        Assert.Equal("1:16", PackingPass.PackDeclared(model).Model.FindMetadata(LayerPatterns.CommonMetadata));
    }

    [Theory]
    [InlineData("{\"fc1\":\"1:16\",\"fc2\":\"1:16\"}", float.NaN, "A layer does not satisfy the pattern that the model declares: fc1 "
        + "(1:16): the weight at row 3, column 5 is NaN, expected a finite number. ")]
    [InlineData("{\"fc1\":\"1:16\",\"fc2\":\"1:16\"}", float.NegativeInfinity, "fc1 (1:16): the weight at row 3, column 5 is -Infinity, "
        + "expected a finite number. ")]
    [InlineData("{\"fc1\":\"1:16\",\"fc2\":\"1:16\"}", 1f, "fc1 (1:16): Cell 147 of the weights 512×784 (from row 3, column 0) has 2 "
        + "non-zeros, and pattern 1:16 allows 1.")]
    [InlineData("{\"fc1\":\"1:16\",\"fc2\":\"1:32\"}", 1f, "2 layers do not satisfy the pattern that the model declares: fc1 (1:16): ")]
    public void A_layer_that_breaks_its_declaration_is_named(string declared, float weight, string says)
    {
        OnnxModel model = Graphs.Sparse("mlp", 3, "1:16");
        WeightLayer layer = WeightLayers.Find(model)[0];
        float[] weights = layer.GetWeights();
        Span<float> cell = weights.AsSpan(3 * layer.Shape.Inputs, 16);
        cell.Clear();
        (cell[5], cell[9]) = (weight, 1);
        layer.SetWeights(weights);
        model.SetMetadata(LayerPatterns.Metadata, declared);
        Assert.Contains(says, Assert.Throws<PatternException>(() => PackingPass.PackDeclared(model)).Message);
        // asked for by name, it is only left dense
        Assert.Equal("1:16", PackingPass.Pack(model, new ComplementaryPattern(1, 16)).Layers[1].Pattern?.ToString());
    }

    [Theory]
    [InlineData(null, "The model declares no patterns of its layers (metadata 'dovetail.layer_patterns'); say which pattern to pack.")]
    [InlineData("[]", "The metadata 'dovetail.layer_patterns' are a JSON Array, expected an object with a pattern for each sparse layer.")]
    [InlineData("{}", "The model declares all its layers dense; there is nothing to pack. Prune or train it first, or say which pattern "
        + "to pack.")]
    [InlineData("{\"fc1\":3}", "The metadata 'dovetail.layer_patterns' are no JSON object of texts: The requested operation requires an "
        + "element of type 'String', but the target element has type 'Number'.")]
    [InlineData("{\"nowhere\":\"1:16\"}", "The model has no layer 'nowhere' with weights, expected one of: fc1, fc2, head.")]
    public void Bad_declarations_are_refused(string? text, string message)
    {
        OnnxModel model = Graphs.Sparse("mlp", 3, "1:16");
        if (text is not null)
            model.SetMetadata(LayerPatterns.Metadata, text);
        Assert.Equal(message, Assert.Throws<OnnxException>(() => PackingPass.PackDeclared(model)).Message);
    }
}
