using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Dovetail.Core.Packing;
using Dovetail.Kernels.Broadcast;
using Dovetail.Kernels.Decode;
using Dovetail.Kernels.MachineCode;
using Dovetail.Kernels.Reference;
using Dovetail.Kernels.Selector;
using Dovetail.Kernels.Selector.Portable;
using Dovetail.Kernels.Selector.X86;

namespace Dovetail.Kernels.Dispatch;

/// <summary>
/// Every kernel there is, best first: dispatch, tests and benchmarks read these lists. The first entry that this CPU
/// supports and that accepts the pattern runs the layer, unless <see cref="OverrideVariable"/> names another.
/// </summary>
public static class KernelRegistry
{
    /// <summary>Environment variable with the name of a kernel to use, or one for each data type, separated by commas.</summary>
    public const string OverrideVariable = "DOVETAIL_KERNEL";

    private static readonly LaneFormat Float32Window16 = new(16, 16, true, 1, sizeof(float));
    private static readonly LaneFormat Float32Window32 = new(16, 32, true, 1, sizeof(float));
    private static readonly LaneFormat BFloat16Window32 = new(16, 32, true, 2, sizeof(ushort));
    private static readonly LaneFormat QuantizedWindow64 = new(16, 64, true, 4, sizeof(byte));

    public static IReadOnlyList<Kernel<Float32Specification, float>> Float32 { get; } =
    [
        new("select-f32-w16-12x32-avx512asm", "Machine code emitted at run time: one vpermps a product, all registers, no calls between "
            + "blocks.",
            () => TileFunctions.IsSupported(TileArithmetic.Float32Window16),
            layout => SelectorStreams.Accepts(layout, 16),
            (name, layer) => MakeEmitted(name, layer, TileArithmetic.Float32Window16, Float32Window16)),
        new("select-f32-w32-12x32-avx512asm", "The same with vpermt2ps, which reads two registers and loads twice as much: only for groups "
            + "of 17 to 32.",
            () => TileFunctions.IsSupported(TileArithmetic.Float32Window32),
            layout => SelectorStreams.Accepts(layout, 32),
            (name, layer) => MakeEmitted(name, layer, TileArithmetic.Float32Window32, Float32Window32)),
        new("select-f32-w16-7x32-avx512", "One vpermps a product: the fastest wherever the group fits 16 inputs.",
            () => Avx512F.IsSupported,
            layout => SelectorStreams.Accepts(layout, Avx512Float32Window16.Window),
            MakeFloat32<Avx512Float32Window16, Vector512<float>, Vector512<float>, Vector512<int>, Vector512<float>>),
        new("select-f32-w32-7x32-avx512", "vpermt2ps reads two registers and loads twice as much: only for groups of 17 to 32.",
            () => Avx512F.IsSupported,
            layout => SelectorStreams.Accepts(layout, Avx512Float32Window32.Window),
            MakeFloat32<Avx512Float32Window32, Avx512Float32Window32.Pair, Vector512<float>, Vector512<int>, Vector512<float>>),
        new("broadcast-f32-any-32x1-avx512", "Weights are broadcast over rows of pixels, owners are addresses: every pattern at one rate, "
            + "given a vector of pixels.",
            () => Avx512F.IsSupported,
            _ => true,
            MakeBroadcast<Avx512PixelLanes, Vector512<float>>) { WantsPixels = true },
        new("select-f32-w8-4x16-avx2", "Half the lanes and half the registers: groups to 8 without AVX-512.",
            () => Avx2.IsSupported && Fma.IsSupported,
            layout => SelectorStreams.Accepts(layout, Avx2Float32Window8.Window),
            MakeFloat32<Avx2Float32Window8, Vector256<float>, Vector256<float>, Vector256<int>, Vector256<float>>),
        new("broadcast-f32-any-32x1-avx2", "The same, eight pixels a vector.",
            () => Avx2.IsSupported && Fma.IsSupported,
            _ => true,
            MakeBroadcast<Avx2PixelLanes, Vector256<float>>) { WantsPixels = true },
        new("select-f32-w16-4x16-avx2", "Two registers and a blend a product: few pixels, and groups of 9 to 16.",
            () => Avx2.IsSupported && Fma.IsSupported,
            layout => SelectorStreams.Accepts(layout, Avx2Float32Window16.Window),
            MakeFloat32<Avx2Float32Window16, Avx2Float32Window16.Pair, Vector256<float>, Vector256<int>, Vector256<float>>)
            {
                OutrunFrom = 8,
            },
        new("select-f32-w32-2x16-avx2", "Four registers and three blends a product: few pixels, and groups of 17 to 32.",
            () => Avx2.IsSupported && Fma.IsSupported,
            layout => SelectorStreams.Accepts(layout, Avx2Float32Window32.Window),
            MakeFloat32<Avx2Float32Window32, Avx2Float32Window32.Quad, Vector256<float>, Vector256<int>, Vector256<float>>)
            {
                OutrunFrom = 8,
            },
        new("ragged-f32-w16-12x16-avx512asm", "Any pattern in windows of 16 inputs, each with as many steps as its fullest output needs: "
            + "the fastest where no selector fits.",
            () => TileFunctions.IsSupported(TileArithmetic.Float32Window16),
            _ => true,
            MakeRagged) { OutrunFrom = 8 },
        new("broadcast-f32-any-16x1-portable", "The same, four pixels a vector.",
            () => Vector128.IsHardwareAccelerated,
            _ => true,
            MakeBroadcast<PortablePixelLanes, Vector128<float>>) { WantsPixels = true },
        new("select-f32-w256-4x2-portable", "Indexed loads: any contiguous group on the input axis, any machine.",
            () => true,
            layout => SelectorStreams.Accepts(layout, PortableFloat32.Window),
            MakeFloat32<PortableFloat32, nint, float, byte, float>) { OutrunFrom = 4 },
        new("walk-f32-any-1x1-reference", "Every pattern, sums in double: the oracle, and the last resort.",
            () => true,
            _ => true,
            (name, layer) => new Float32Reference(name, layer)),
    ];

    /// <summary>For layers whose operands are rounded to bfloat16 (<see cref="FloatOperands.BFloat16"/>).</summary>
    public static IReadOnlyList<Kernel<Float32Specification, float>> BFloat16Operands { get; } =
    [
        new("select-bf16-w32-12x32-avx512bf16", "Machine code emitted at run time: vpermw selects 32 inputs, vdpbf16ps multiplies two a "
            + "lane: twice the rate of fp32.",
            () => TileFunctions.IsSupported(TileArithmetic.BFloat16Window32),
            layout => SelectorStreams.Accepts(layout, 32),
            MakeBFloat16),
        new("round-bf16-any-fp32", "Operands rounded, products by the best fp32 kernel: where the CPU has no bfloat16, and every other "
            + "pattern.",
            () => true,
            _ => true,
            (name, layer) => new RoundedLayer(name, PrepareFloat32(RoundedLayer.RoundWeights(layer)))),
    ];

    public static IReadOnlyList<Kernel<QuantizedSpecification, byte>> Quantized { get; } =
    [
        new("select-u8s8-w64-12x32-avx512vnni", "Machine code emitted at run time: vpermb selects 64 inputs, vpdpbusd multiplies and adds "
            + "them exactly.",
            () => TileFunctions.IsSupported(TileArithmetic.QuantizedWindow64),
            layout => SelectorStreams.Accepts(layout, 64),
            MakeEmitted),
        new("select-u8s8-w64-7x32-avx512vbmi", "vpermb selects 64 inputs at once; exact 16-bit products.",
            () => Avx512Vbmi.IsSupported && Avx512BW.IsSupported,
            layout => SelectorStreams.Accepts(layout, Avx512QuantizedWindow64.Window),
            MakeQuantized<Avx512QuantizedWindow64, Vector512<byte>, Avx512QuantizedWindow64.Halves, Vector512<byte>, Vector512<int>>),
        new("ragged-u8s8-w64-12x16-avx512vnni", "Any pattern in windows of 64 inputs, likewise: where no selector fits.",
            () => TileFunctions.IsSupported(TileArithmetic.QuantizedWindow64),
            _ => true,
            MakeRagged),
        new("broadcast-u8s8-any-32x1-avx512", "Weights are broadcast over rows of pixels, owners are addresses: every pattern at one rate, "
            + "given a vector of pixels.",
            () => Avx512F.IsSupported,
            _ => true,
            MakeBroadcast<Avx512PixelLanes, Vector512<float>>) { WantsPixels = true },
        new("broadcast-u8s8-any-32x1-avx2", "The same, eight pixels a vector.",
            () => Avx2.IsSupported && Fma.IsSupported,
            _ => true,
            MakeBroadcast<Avx2PixelLanes, Vector256<float>>) { WantsPixels = true },
        new("broadcast-u8s8-any-16x1-portable", "The same, four pixels a vector.",
            () => Vector128.IsHardwareAccelerated,
            _ => true,
            MakeBroadcast<PortablePixelLanes, Vector128<float>>) { WantsPixels = true },
        new("select-u8s8-w256-4x2-portable", "Indexed loads: any contiguous group on the input axis, any machine.",
            () => true,
            layout => SelectorStreams.Accepts(layout, PortableQuantized.Window),
            MakeQuantized<PortableQuantized, nint, int, byte, int>) { OutrunFrom = 4 },
        new("walk-u8s8-any-1x1-reference", "Every pattern: the oracle, and the last resort.",
            () => true,
            _ => true,
            (name, layer) => new QuantizedReferenceLayer(name, layer)),
    ];

    /// <summary>Prepares a layer with the best kernel for this CPU and pattern, or the one that the environment names.</summary>
    /// <exception cref="KernelException">The named kernel is unknown or cannot run the layer, or the layer is inconsistent.</exception>
    public static PreparedLayer<float> Prepare(Float32Specification layer)
    {
        ArgumentNullException.ThrowIfNull(layer);
        return layer.Operands == FloatOperands.BFloat16
            ? Prepare(BFloat16Operands, layer, layer.Weights)
            : PrepareFloat32(layer);
    }

    /// <inheritdoc cref="Prepare(Float32Specification)"/>
    public static PreparedLayer<byte> Prepare(QuantizedSpecification layer)
    {
        ArgumentNullException.ThrowIfNull(layer);
        return Prepare(Quantized, layer, layer.Weights);
    }

    /// <summary>The entry that runs <paramref name="weights"/>; <paramref name="forced"/> is the override's text, if any.</summary>
    internal static Kernel<TSpecification, TElement> Choose<TSpecification, TElement>(
        IReadOnlyList<Kernel<TSpecification, TElement>> kernels, PackedTensor weights, string? forced)
        where TElement : unmanaged =>
        Named(kernels, forced) ?? kernels.First(kernel => kernel.IsSupported && kernel.Accepts(weights.Layout));

    private static Kernel<TSpecification, TElement>? Named<TSpecification, TElement>(
        IReadOnlyList<Kernel<TSpecification, TElement>> kernels, string? forced)
        where TElement : unmanaged
    {
        foreach (string name in (forced ?? "").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            if (kernels.FirstOrDefault(kernel => kernel.Name == name) is { } named)
                return named;
            if (!Names.Contains(name))
                throw new KernelException($"{OverrideVariable} names '{name}', which is not a kernel; expected one of "
                    + $"{string.Join(", ", Names)}.");
        }

        return null;
    }

    /// <summary>The best entry, and where it wants many pixels the best of the others for fewer.</summary>
    private static PreparedLayer<TElement> Prepare<TSpecification, TElement>(
        IReadOnlyList<Kernel<TSpecification, TElement>> kernels, TSpecification layer, PackedTensor weights)
        where TSpecification : ILayerSpecification
        where TElement : unmanaged
    {
        string? forced = Environment.GetEnvironmentVariable(OverrideVariable);
        Kernel<TSpecification, TElement> best = Choose(kernels, weights, forced);
        if (!best.WantsPixels || Named(kernels, forced) is not null)
            return best.Prepare(layer);
        layer.Validate();
        Kernel<TSpecification, TElement> other = kernels.First(
            kernel => !kernel.WantsPixels && kernel.IsSupported && kernel.Accepts(weights.Layout));
        return other.OutrunFrom == 1 ? best.Prepare(layer) : new ByPixels<TSpecification, TElement>(layer, other, best);
    }

    private static PreparedLayer<float> PrepareFloat32(Float32Specification layer) => Prepare(Float32, layer, layer.Weights);

    private static IEnumerable<string> Names =>
        Float32.Concat(BFloat16Operands).Select(kernel => kernel.Name).Concat(Quantized.Select(kernel => kernel.Name));

    private static PreparedLayer<float> MakeBroadcast<TLanes, TVector>(string name, Float32Specification layer)
        where TLanes : struct, IPixelLanes<TVector>
        where TVector : unmanaged =>
        new BroadcastLayer<float, TLanes, TVector>(name, layer.Weights, LayerConstants.Of(layer), padding: 0);

    private static PreparedLayer<byte> MakeBroadcast<TLanes, TVector>(string name, QuantizedSpecification layer)
        where TLanes : struct, IPixelLanes<TVector>
        where TVector : unmanaged
    {
        var weights = new PackedTensor<float>(
            layer.Weights.Layout, Array.ConvertAll(layer.Weights.Values, value => (float)value), layer.Weights.Owners);
        return new BroadcastLayer<byte, TLanes, TVector>(name, weights, LayerConstants.Of(layer), layer.InputZeroPoint);
    }

    private static PreparedLayer<float> MakeEmitted(
        string name, Float32Specification layer, TileArithmetic arithmetic, LaneFormat format) =>
        new EmittedLayer<float>(
            name, layer.Weights, arithmetic, format,
            new UniformTileStreams(
                SelectorStreams.Create(layer.Weights, format), format, layer.Weights.Shape.Groups,
                NarrowWeights.StorageOf(layer.Weights.Values)),
            LayerConstants.Of(layer), padding: 0);

    private static PreparedLayer<float> MakeRagged(string name, Float32Specification layer) =>
        new EmittedLayer<float>(
            name, layer.Weights, TileArithmetic.Float32Window16, Float32Window16,
            RaggedTileStreams.Create(new TermList<float>(layer.Weights), layer.Weights.Shape, Float32Window16), LayerConstants.Of(layer),
            padding: 0);

    private static PreparedLayer<float> MakeBFloat16(string name, Float32Specification layer)
    {
        var weights = (PackedTensor<BFloat16>)PackedCast.To(layer.Weights, DType.BFloat16);
        return new EmittedLayer<float>(
            name, weights, TileArithmetic.BFloat16Window32, BFloat16Window32,
            new UniformTileStreams(SelectorStreams.Create(weights, BFloat16Window32), BFloat16Window32, weights.Shape.Groups),
            LayerConstants.Of(layer), padding: 0);
    }

    private static PreparedLayer<byte> MakeEmitted(string name, QuantizedSpecification layer) =>
        new EmittedLayer<byte>(
            name, layer.Weights, TileArithmetic.QuantizedWindow64, QuantizedWindow64,
            new UniformTileStreams(SelectorStreams.Create(layer.Weights, QuantizedWindow64), QuantizedWindow64, layer.Weights.Shape.Groups),
            LayerConstants.Of(layer), layer.InputZeroPoint);

    private static PreparedLayer<byte> MakeRagged(string name, QuantizedSpecification layer) =>
        new EmittedLayer<byte>(
            name, layer.Weights, TileArithmetic.QuantizedWindow64, QuantizedWindow64,
            RaggedTileStreams.Create(new TermList<sbyte>(layer.Weights), layer.Weights.Shape, QuantizedWindow64), LayerConstants.Of(layer),
            layer.InputZeroPoint);

    private static PreparedLayer<float> MakeFloat32<TOps, TInput, TWeights, TOwners, TAcc>(string name, Float32Specification layer)
        where TOps : struct, IFloat32LaneOperations<TInput, TWeights, TOwners, TAcc>
        where TAcc : unmanaged =>
        new SelectorLayer<float, TOps, TInput, TWeights, TOwners, TAcc, Float32Store<TOps, TInput, TWeights, TOwners, TAcc>>(
            name, layer.Weights, SelectorStreams.Create(layer.Weights, LaneFormat.Of<TOps, TInput, TWeights, TOwners, TAcc>()),
            LayerConstants.Of(layer), padding: 0);

    private static PreparedLayer<byte> MakeQuantized<TOps, TInput, TWeights, TOwners, TAcc>(string name, QuantizedSpecification layer)
        where TOps : struct, IQuantizedLaneOperations<TInput, TWeights, TOwners, TAcc>
        where TAcc : unmanaged =>
        new SelectorLayer<byte, TOps, TInput, TWeights, TOwners, TAcc, QuantizedStore<TOps, TInput, TWeights, TOwners, TAcc>>(
            name, layer.Weights, SelectorStreams.Create(layer.Weights, LaneFormat.Of<TOps, TInput, TWeights, TOwners, TAcc>()),
            LayerConstants.Of(layer), layer.InputZeroPoint);
}
