using Dovetail.Accelerator.Config;
using Dovetail.Accelerator.Mapping;
using Dovetail.Core.Packing;

namespace Dovetail.Accelerator.Simulation;

/// <summary>
/// Runs int8 layers on a <see cref="WeightStationaryArray"/>, fold after fold.
/// 1. Activations x stream as x − 128, so the array computes Σ (x − 128)·w.
/// 2. Folds of the same outputs add up.
/// 3. Σ (x − zeroPoint)·w is that plus (128 − zeroPoint)·Σ w, a constant of the output which hardware folds into the bias.
/// </summary>
public static class CycleSimulator
{
    /// <param name="layer">int8 weights with quantization.</param>
    /// <param name="activations">uint8: NHWC [H, W, channels] of one image, or [tokens, K] of a matrix product.</param>
    /// <param name="observer">Sees every cycle; null costs nothing.</param>
    /// <exception cref="AcceleratorException">The array cannot execute the layer, or a buffer does not fit it.</exception>
    public static LayerSimulation RunLayer(
        ArrayConfig config, PackedLayer layer, ReadOnlySpan<byte> activations, FoldSchedule schedule = FoldSchedule.Serial,
        IArrayObserver? observer = null)
    {
        LayerMapping mapping = LayerMapping.Of(config, layer);
        PackedTensor<sbyte> weights = mapping.WeightsOf(layer);
        if (layer.Quantization is not { } quantization)
            throw new AcceleratorException($"Layer '{layer.Name}' has no quantization; expected the input's scale and zero point. Quantize "
                + "the model first.");
        var array = new WeightStationaryArray(config, observer);
        var counter = new EventCounter();
        var dram = new DramCounter(mapping);
        var accumulators = new int[mapping.Pixels * mapping.Workload.M];
        var sums = new int[mapping.Pixels * config.Columns];

        observer?.BeginLayer(mapping);
        int loaded = 0;
        (ArrayFold Fold, FoldUse Use, ArrayTile Tile)? running = null;
        foreach (ArrayFold fold in mapping.Folds())
        {
            var use = new FoldUse(mapping, fold);
            ArrayTile tile = mapping.Tile(fold, weights, activations, quantization.InputZeroPoint);
            dram.Add(fold, use);
            if (running is { } previous)
            {
                if (schedule == FoldSchedule.Overlapped)
                    array.BeginLoad(tile, use);
                Stream(previous);
            }

            if (!array.IsLoading)
                array.BeginLoad(tile, use);
            observer?.BeginPhase(ArrayPhase.Load, loaded, fold);
            array.FinishLoad(counter);
            loaded++;
            running = (fold, use, tile);
        }

        Stream(running!.Value);
        AddZeroPoint(accumulators, weights, quantization.InputZeroPoint);
        var counts = new LayerCounts(
            layer.Name, config, schedule, mapping.Shape, mapping.Pattern, counter.ToCounts(), dram.ToTraffic())
        {
            SlotFill = ClosedForm.SlotFill(mapping, layer),
        };
        return new LayerSimulation(counts, accumulators);

        void Stream((ArrayFold Fold, FoldUse Use, ArrayTile Tile) current)
        {
            observer?.BeginPhase(ArrayPhase.Stream, loaded - 1, current.Fold);
            array.Stream(current.Tile, current.Use, sums, [], counter);
            for (int p = 0; p < mapping.Pixels; p++)
            {
                Span<int> target = accumulators.AsSpan(p * mapping.Workload.M + current.Fold.FirstOutput, current.Fold.Outputs);
                ReadOnlySpan<int> source = sums.AsSpan(p * config.Columns, current.Fold.Outputs);
                for (int c = 0; c < target.Length; c++)
                    target[c] += source[c];
            }
        }
    }

    private static void AddZeroPoint(int[] accumulators, PackedTensor<sbyte> weights, byte zeroPoint)
    {
        int outputs = weights.Shape.Outputs, slots = weights.Layout.ValueColumns;
        var corrections = new int[outputs];
        for (int m = 0; m < outputs; m++)
        {
            int sum = 0;
            foreach (sbyte weight in weights.Values.AsSpan(m * slots, slots))
                sum += weight;
            corrections[m] = (128 - zeroPoint) * sum;
        }

        for (int at = 0; at < accumulators.Length; at += outputs)
            for (int m = 0; m < outputs; m++)
                accumulators[at + m] += corrections[m];
    }
}
