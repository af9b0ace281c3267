using Dovetail.Onnx.Model;

namespace Dovetail.Onnx.Zoo;

/// <summary>Networks as ONNX graphs with random weights (He et al., 2015) and one float input.</summary>
public static class ZooModels
{
    /// <summary>What a model reference starts with to mean the zoo: "zoo:fashion-cnn".</summary>
    public const string Prefix = "zoo:";

    private static readonly (ZooModel Model, Func<int, ZooOptions, OnnxModel> Create, bool TakesDepth, bool TakesImageSize)[] Entries =
    [
        (new("fashion-cnn", "five convolutions of 64 to 128 channels with batch norm and a residual connection, linear head; 407,360 "
            + "weights, 7.8 M multiply-accumulates an image", "image", ["N", 1, 28, 28]),
            (seed, _) => SmallNetworks.FashionCnn(seed), false, false),
        (new("mlp", "784-512-512-10 fully connected, ReLU; 670,000 weights", "image", ["N", 1, 28, 28]),
            (seed, _) => SmallNetworks.Mlp(seed), false, false),
        (new("resnet20", "ResNet-20 for 32×32 images (He et al., 2016), projections in the shortcuts; 0.27 M parameters, 41 M "
            + "multiply-accumulates", "image", ["N", 3, 32, 32]),
            (seed, options) => ResidualNetworks.ResNet20(seed, options.ImageSize ?? 32), false, true),
        (new("resnet18", "ResNet-18 (He et al., 2016); 11.7 M parameters, 1.8 G multiply-accumulates", "image", ["N", 3, 224, 224]),
            (seed, options) => ResidualNetworks.ResNet18(seed, options.ImageSize ?? 224), false, true),
        (new("resnet50", "ResNet-50, strides in the 3×3 convolutions (v1.5); 25.6 M parameters, 4.1 G multiply-accumulates", "image",
            ["N", 3, 224, 224]),
            (seed, options) => ResidualNetworks.ResNet50(seed, options.ImageSize ?? 224), false, true),
        (new("mobilenet-v2", "MobileNetV2 1.0 (Sandler et al., 2018): inverted residuals with depthwise convolutions and ReLU6; 3.5 M "
            + "parameters, 0.30 G multiply-accumulates", "image", ["N", 3, 224, 224]),
            (seed, options) => MobileNetworks.MobileNetV2(seed, options.ImageSize ?? 224), false, true),
        (new("vit-s", "ViT-S/16 (12 blocks, 384 channels, 6 heads, GELU); 22.1 M parameters, 4.6 G multiply-accumulates", "image",
            ["N", 3, 224, 224]),
            (seed, options) => Transformers.VitSmall(seed, options.ImageSize ?? 224, options.Depth ?? 12), true, true),
        (new("gpt2-small", "the 12 blocks of GPT-2 small (768 channels, 12 heads, causal attention, GELU in its tanh form) from embedded "
            + "tokens to hidden states, any number of tokens; 85.1 M parameters", "hidden", ["N", "T", 768]),
            (seed, options) => Transformers.Gpt2Small(seed, options.Depth ?? 12), true, false),
    ];

    /// <summary>The networks that <see cref="Create"/> knows, the default first.</summary>
    public static IReadOnlyList<ZooModel> Names { get; } = [.. Entries.Select(e => e.Model)];

    /// <summary>Builds a network with random weights; equal seeds give equal weights.</summary>
    /// <param name="name">A name of <see cref="Names"/>, with or without "zoo:".</param>
    /// <exception cref="OnnxException">The zoo has no such network, or it cannot be changed as the options ask.</exception>
    public static OnnxModel Create(string name, int seed, ZooOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(name);
        options ??= new ZooOptions();
        string key = name.StartsWith(Prefix, StringComparison.Ordinal) ? name[Prefix.Length..] : name;
        (ZooModel model, Func<int, ZooOptions, OnnxModel> create, bool takesDepth, bool takesImageSize) = Array.Find(
            Entries, e => e.Model.Name == key);
        if (model is null)
            throw new OnnxException($"The zoo has no network '{key}', expected one of: {string.Join(", ", Names.Select(n => n.Name))}.");
        Check(key, "depth", options.Depth, takesDepth);
        Check(key, "image size", options.ImageSize, takesImageSize);
        return create(seed, options);
    }

    private static void Check(string name, string what, int? value, bool taken)
    {
        if (value is not null && !taken)
            throw new OnnxException($"The {what} of '{name}' cannot be changed.");
        if (value < 1)
            throw new OnnxException($"The {what} of '{name}' is {value}, expected 1 or more.");
    }
}
