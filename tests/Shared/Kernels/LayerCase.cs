using System.Globalization;
using Dovetail.Core.Packing;
using Dovetail.Core.Patterns;
using Dovetail.Core.Workloads;
using Dovetail.Kernels;

namespace Dovetail.Tests.Kernels;

/// <summary>A shape to test: printed with every failure.</summary>
internal sealed record LayerCase(
    string Pattern, int Outputs, int Channels, ConvolutionGeometry Geometry, int Batch = 1,
    bool Bias = true, bool Residual = true, ActivationKind Kind = ActivationKind.Relu, int Seed = 1,
    DType WeightType = DType.Float32)
{
    public CellLayout Layout => new(
        ComplementaryPattern.Parse(Pattern),
        new WeightShape([Outputs, Channels, Geometry.KernelHeight, Geometry.KernelWidth], Geometry.Groups));

    /// <summary>Bounds that real results cross.</summary>
    public Activation Activation => Kind switch
    {
        ActivationKind.None => Activation.None,
        ActivationKind.Relu => Activation.Relu,
        ActivationKind.Clip => Activation.Clip(-0.25f, 0.5f),
        ActivationKind.Silu => Activation.Silu,
        ActivationKind.Gelu => Activation.Gelu,
        _ => Activation.GeluTanh,
    };

    public int InputLength => Batch * Geometry.InputHeight * Geometry.InputWidth * Channels * Geometry.Groups;

    public int OutputLength => Batch * Geometry.OutputPixels * Outputs;

    /// <summary>A random case over everything the operators allow, derived from its seed alone.</summary>
    public static LayerCase Random(int seed, string pattern)
    {
        var random = new Random(seed);
        int groups = random.Next(4) == 0 ? random.Next(2, 4) : 1;
        int kernelHeight = random.Next(1, 4), kernelWidth = random.Next(1, 4);
        int dilationHeight = random.Next(1, 3), dilationWidth = random.Next(1, 3);
        int reachHeight = dilationHeight * (kernelHeight - 1) + 1, reachWidth = dilationWidth * (kernelWidth - 1) + 1;
        var geometry = new ConvolutionGeometry(
            random.Next(reachHeight, reachHeight + 6), random.Next(reachWidth, reachWidth + 6), kernelHeight, kernelWidth,
            random.Next(1, 4), random.Next(1, 4), random.Next(3), random.Next(3), random.Next(3), random.Next(3),
            dilationHeight, dilationWidth, groups);
        return new LayerCase(
            pattern, groups * random.Next(1, 40), random.Next(1, 71), geometry, random.Next(1, 3),
            random.Next(2) == 0, random.Next(2) == 0, (ActivationKind)random.Next(6), seed);
    }

    /// <summary>Shapes with no common divisor with any tile: strides, dilations, pads, groups and batches of all kinds.</summary>
    public static IEnumerable<LayerCase> Primes(string pattern) =>
    [
        new(pattern, 127, 131, new ConvolutionGeometry(13, 11, 3, 3, PadTop: 1, PadLeft: 1, PadBottom: 1, PadRight: 1)),
        new(pattern, 61, 67, new ConvolutionGeometry(17, 19, 5, 7, 2, 3, 2, 3, 2, 3)),
        new(pattern, 37, 41, new ConvolutionGeometry(11, 13, 3, 2, 1, 2, 3, 0, 1, 2, 3, 5), Batch: 3),
        new(pattern, 3 * 19, 43, new ConvolutionGeometry(7, 5, 2, 3, 3, 1, 0, 2, 1, 0, 2, 2, 3), Batch: 2, Kind: ActivationKind.Clip),
        new(pattern, 5 * 17, 23, new ConvolutionGeometry(5, 7, 1, 1, 2, 2, Groups: 5), Batch: 5, Bias: false),
        new(pattern, 7 * 2, 71, new ConvolutionGeometry(3, 3, 3, 3, 1, 1, 2, 2, 2, 2, Groups: 7), Residual: false),
    ];

    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"{Pattern} M={Outputs} C={Channels} batch={Batch} bias={Bias} residual={Residual} {Activation} seed={Seed} {Geometry}");
}
