using Dovetail.Accelerator.Config;
using Dovetail.Core.Packing;
using Dovetail.Core.Patterns;
using Dovetail.Core.Workloads;

namespace Dovetail.Accelerator.Mapping;

/// <summary>
/// A layer on a weight-stationary array.
/// 1. A packed row of the layer (input axis) has taps·J·keep slots; slot s belongs to cell s / keep of its row.
/// 2. Array rows hold slots and array columns hold outputs: ⌈slots / R⌉ × ⌈outputs / C⌉ folds for each
///    convolution group, which are products of their own. Order: group, then outputs, then slots, so that
///    the partial sums of one set of outputs are finished before the next set starts.
/// 3. The lanes of an array row are the candidates of its slot's cell: im2col of one tap and up to
///    <c>group</c> channels. Slots of one cell see the same lanes.
/// </summary>
public sealed class LayerMapping
{
    /// <param name="pattern">The pattern of the layer's weights; at most as wide as the array's.</param>
    /// <exception cref="AcceleratorException">The array cannot execute the pattern or the layer's sizes contradict each other.</exception>
    public LayerMapping(ArrayConfig config, LayerWorkload workload, ComplementaryPattern pattern)
    {
        ArgumentNullException.ThrowIfNull(config);
        ArgumentNullException.ThrowIfNull(workload);
        ArgumentNullException.ThrowIfNull(pattern);
        (Config, Workload) = (config.Validated(), workload);
        if (pattern.Axis == CellAxis.Output)
            throw new AcceleratorException($"Layer '{workload.Name}' has pattern {pattern} along the outputs; the array executes "
                + $"input-axis patterns, e.g. {pattern.Keep}:{pattern.Group}. Train or project it with such a one.");
        if (pattern.Group > config.Lanes)
            throw new AcceleratorException($"Layer '{workload.Name}' has pattern {pattern}, and the array's rows have {config.Lanes} lanes "
                + $"(pattern {config.Pattern}); expected an array with a group of at least {pattern.Group}.");
        Layout = new CellLayout(pattern, WeightShapeOf(workload));
        Slots = Layout.ValueColumns;
        SlotFolds = CeilDiv(Slots, config.Rows);
        OutputFolds = CeilDiv(Layout.Shape.OutputsPerGroup, config.Columns);
    }

    public ArrayConfig Config { get; }

    public LayerWorkload Workload { get; }

    public CellLayout Layout { get; }

    public ComplementaryPattern Pattern => Layout.Pattern;

    /// <summary>Output pixels or tokens, P.</summary>
    public int Pixels => Workload.N;

    public int Groups => Layout.Shape.Groups;

    public int OutputsPerGroup => Layout.Shape.OutputsPerGroup;

    /// <summary>Packed slots of one output, taps·J·keep: the rows of the product.</summary>
    public int Slots { get; }

    /// <summary>⌈slots / R⌉.</summary>
    public int SlotFolds { get; }

    /// <summary>⌈outputs per convolution group / C⌉.</summary>
    internal int OutputFolds { get; }

    internal long FoldCount => (long)Groups * OutputFolds * SlotFolds;

    /// <summary>Bytes of the activations that the layer reads: NHWC [H, W, channels], or [tokens, K].</summary>
    public long InputLength => LaneGather.InputLength(this);

    public GemmShape Shape => new(Workload.N, Workload.M, Workload.K);

    /// <summary>A layer with its weights; a dense array executes every layer as "1:1".</summary>
    public static LayerMapping Of(ArrayConfig config, PackedLayer layer)
    {
        ArgumentNullException.ThrowIfNull(config);
        ArgumentNullException.ThrowIfNull(layer);
        WeightShape expected = WeightShapeOf(layer.Workload);
        WeightShape found = layer.Weights.Shape;
        if (found.Outputs != expected.Outputs || found.Taps != expected.Taps || found.Channels != expected.Channels
            || found.Groups != expected.Groups)
            throw new AcceleratorException($"Layer '{layer.Name}' has weights of shape {found}, and its workload says {expected}; expected "
                + "the same.");
        return new LayerMapping(config, layer.Workload, config.Lanes == 1 ? ComplementaryPattern.Dense : layer.Weights.Pattern);
    }

    /// <summary>
    /// A layer of which only the shape is known: the array's pattern, or dense where a tap has fewer
    /// channels than the group, as packing leaves such layers.
    /// </summary>
    public static LayerMapping Of(ArrayConfig config, LayerWorkload workload)
    {
        ArgumentNullException.ThrowIfNull(config);
        ArgumentNullException.ThrowIfNull(workload);
        bool dense = WeightShapeOf(workload).Channels < config.Pattern.Group;
        return new LayerMapping(config, workload, dense ? ComplementaryPattern.Dense : config.Pattern);
    }

    /// <summary>Real candidates of a slot's cell: the lanes that carry activations.</summary>
    public int Candidates(int slot) => Layout.CandidateCount(slot / Pattern.Keep);

    /// <summary>False for the padding slots of a tail cell.</summary>
    internal bool IsUseful(int slot) => slot % Pattern.Keep < Layout.UsedSlots(slot / Pattern.Keep);

    /// <summary>Outputs that share owners count once.</summary>
    internal int OwnersAcross(int firstOutput, int outputs)
    {
        int first = firstOutput % OutputsPerGroup;
        return (first + outputs - 1) / Pattern.Share - first / Pattern.Share + 1;
    }

    public IEnumerable<ArrayFold> Folds()
    {
        for (int group = 0; group < Groups; group++)
            for (int outputFold = 0; outputFold < OutputFolds; outputFold++)
                for (int slotFold = 0; slotFold < SlotFolds; slotFold++)
                {
                    int slot = slotFold * Config.Rows, output = outputFold * Config.Columns;
                    yield return new ArrayFold(
                        group,
                        slot, Math.Min(Config.Rows, Slots - slot),
                        group * OutputsPerGroup + output, Math.Min(Config.Columns, OutputsPerGroup - output),
                        slotFold == 0, slotFold == SlotFolds - 1);
                }
    }

    /// <summary>What a fold feeds to the array.</summary>
    /// <param name="weights">The layer's weights in this mapping's pattern (<see cref="WeightsOf"/>).</param>
    /// <param name="activations">uint8, NHWC [H, W, channels] for a convolution, [tokens, K] for a matrix product.</param>
    /// <param name="inputZeroPoint">What a padding pixel holds.</param>
    public ArrayTile Tile(ArrayFold fold, PackedTensor<sbyte> weights, ReadOnlySpan<byte> activations, byte inputZeroPoint)
    {
        ArgumentNullException.ThrowIfNull(weights);
        if (!weights.Pattern.Equals(Pattern) || weights.Values.Length != Layout.ValueCount)
            throw new AcceleratorException($"Layer '{Workload.Name}' is mapped with pattern {Pattern} on {Layout.Shape}, and its weights "
                + $"have {weights.Pattern} on {weights.Shape}; expected the same.");
        var values = new sbyte[Config.PeCount];
        var owners = new byte[Config.PeCount];
        int runsPerGroup = Layout.OwnerRows / Groups;
        for (int c = 0; c < fold.Outputs; c++)
        {
            int output = fold.FirstOutput + c;
            int run = fold.ConvolutionGroup * runsPerGroup + output % OutputsPerGroup / Pattern.Share;
            ReadOnlySpan<sbyte> valueRow = weights.Values.AsSpan(output * Slots + fold.FirstSlot, fold.Slots);
            ReadOnlySpan<byte> ownerRow = weights.Owners.AsSpan(run * Slots + fold.FirstSlot, fold.Slots);
            for (int r = 0; r < fold.Slots; r++)
            {
                values[r * Config.Columns + c] = valueRow[r];
                owners[r * Config.Columns + c] = ownerRow[r];
            }
        }

        sbyte[] lanes = new LaneGather(this).Gather(fold, activations, inputZeroPoint);
        return new ArrayTile(Config.Rows, Config.Columns, Config.Lanes, Pixels, values, owners, lanes);
    }

    /// <summary>The layer's int8 weights in this mapping's pattern: as packed, or unpacked where the array is dense.</summary>
    /// <exception cref="AcceleratorException">The weights are not int8.</exception>
    public PackedTensor<sbyte> WeightsOf(PackedLayer layer)
    {
        ArgumentNullException.ThrowIfNull(layer);
        if (layer.Weights is not PackedTensor<sbyte> weights)
            throw new AcceleratorException($"Layer '{layer.Name}' has {layer.Weights.DType} weights; the array computes with int8. "
                + "Quantize the model first.");
        return weights.Pattern.Equals(Pattern) ? weights : Packer.Pack<sbyte>(Packer.Unpack(weights), Layout, scales: weights.Scales);
    }

    private static WeightShape WeightShapeOf(LayerWorkload workload)
    {
        if (workload.M < 1 || workload.N < 1 || workload.K < 1)
            throw new AcceleratorException($"Layer '{workload.Name}' has {workload.M} outputs, {workload.N} pixels and {workload.K} "
                + "inputs, expected each to be at least 1.");
        if (workload.Convolution is not { } geometry)
            return WeightShape.Matrix(workload.M, workload.K);
        if (geometry.Taps < 1 || workload.K % geometry.Taps != 0 || geometry.Groups < 1 || workload.M % geometry.Groups != 0
            || geometry.OutputPixels != workload.N)
            throw new AcceleratorException(
                $"Convolution '{workload.Name}' has {workload.K} inputs for {geometry.Taps} taps, {workload.M} outputs in "
                + $"{geometry.Groups} groups and {workload.N} pixels " +
                $"where its geometry makes {geometry.OutputHeight}×{geometry.OutputWidth}; expected inputs and outputs that divide and as "
                + "many pixels.");
        return new WeightShape([workload.M, workload.K / geometry.Taps, geometry.KernelHeight, geometry.KernelWidth], geometry.Groups);
    }

    private static int CeilDiv(int a, int b) => (a + b - 1) / b;
}
