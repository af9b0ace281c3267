using Dovetail.Core.Patterns;
using Dovetail.Kernels.Decode;
using Dovetail.Kernels.Selector;

namespace Dovetail.Kernels.MachineCode;

/// <summary>
/// Streams of any pattern, for selectors that reach only a window of inputs.
/// 1. The inputs of a tap are cut into windows, whatever the cells are. A block is one vector of outputs, a lane each.
/// 2. In one window, lane m has as many products as output m has weights there; the window has as many steps as its
///    fullest lane needs, none where it is empty. The other lanes' steps are filled up with weights of zero.
/// 3. So what is lost depends on how evenly weights lie: a cell of 4:64 in windows of 16 takes about 2.3 times its
///    products, the output axis about 3 times. Still nothing is gathered from memory.
/// </summary>
internal sealed unsafe class RaggedTileStreams : TileStreams
{
    private readonly AlignedBuffer _weights;
    private readonly AlignedBuffer _owners;
    private readonly AlignedBuffer _steps;
    private readonly long[] _stepsBefore;
    private readonly int _stepElements;
    private readonly int _elementBytes;

    private RaggedTileStreams(StreamShape shape, int vectorsPerGroup, LaneFormat format, AlignedBuffer steps, long[] stepsBefore)
        : base(shape, vectorsPerGroup, vectorsPerBlock: 1)
    {
        (_steps, _stepsBefore) = (steps, stepsBefore);
        (_stepElements, _elementBytes) = (format.Lanes * format.SlotsPerStep, format.ElementBytes);
        nuint elements = checked((nuint)stepsBefore[^1] * (nuint)_stepElements);
        _weights = new AlignedBuffer(elements * (nuint)_elementBytes);
        _owners = new AlignedBuffer(elements);
    }

    private int WindowsOfBlock => Shape.Taps * Shape.Windows;

    public static RaggedTileStreams Create<T>(TermList<T> terms, WeightShape shape, LaneFormat format)
        where T : unmanaged
    {
        int windows = (shape.Channels + format.Window - 1) / format.Window, last = Math.Max(0, shape.Channels - format.Window);
        int vectorsPerGroup = (shape.OutputsPerGroup + format.Lanes - 1) / format.Lanes, vectors = vectorsPerGroup * shape.Groups;
        int windowsOfVector = shape.Taps * windows;

        // Step 2: the fullest lane of each vector's windows.
        var steps = new AlignedBuffer((nuint)((long)vectors * windowsOfVector));
        var used = new int[windowsOfVector];
        for (int m = 0; m < shape.Outputs; m++)
        {
            Array.Clear(used);
            byte* target = steps.Pointer + (long)VectorOf(m) * windowsOfVector;
            for (int t = terms.RowStart[m]; t < terms.RowStart[m + 1]; t++)
            {
                int window = terms.Taps[t] * windows + terms.Channels[t] / format.Window;
                target[window] = (byte)Math.Max(target[window], used[window]++ / format.SlotsPerStep + 1);
            }
        }

        var stepsBefore = new long[vectors + 1];
        for (int vector = 0; vector < vectors; vector++)
        {
            stepsBefore[vector + 1] = stepsBefore[vector];
            for (int window = 0; window < windowsOfVector; window++)
                stepsBefore[vector + 1] += steps.Pointer[(long)vector * windowsOfVector + window];
        }

        var streams = new RaggedTileStreams(
            new StreamShape(shape.Taps, windows, 0, (nint)format.Window * sizeof(T), (nint)last * sizeof(T)), vectorsPerGroup, format,
            steps, stepsBefore);
        var firstStep = new long[windowsOfVector];
        for (int m = 0; m < shape.Outputs; m++)
        {
            Array.Clear(used);
            int vector = VectorOf(m), lane = m % shape.OutputsPerGroup % format.Lanes;
            firstStep[0] = stepsBefore[vector];
            for (int window = 1; window < windowsOfVector; window++)
                firstStep[window] = firstStep[window - 1] + steps.Pointer[(long)vector * windowsOfVector + window - 1];
            for (int t = terms.RowStart[m]; t < terms.RowStart[m + 1]; t++)
            {
                int inTap = terms.Channels[t] / format.Window, window = terms.Taps[t] * windows + inTap;
                (int step, int slot) = Math.DivRem(used[window]++, format.SlotsPerStep);
                long at = (firstStep[window] + step) * streams._stepElements + lane * format.SlotsPerStep + slot;
                ((T*)streams._weights.Pointer)[at] = terms.Values[t];
                streams._owners.Pointer[at] = (byte)(terms.Channels[t] - Math.Min(inTap * format.Window, last));
            }
        }

        return streams;

        int VectorOf(int m) => m / shape.OutputsPerGroup * vectorsPerGroup + m % shape.OutputsPerGroup / format.Lanes;
    }

    public override byte* WeightsOf(int convolutionGroup, int block) =>
        _weights.Pointer + Elements(convolutionGroup, block) * _elementBytes;

    public override byte* OwnersOf(int convolutionGroup, int block) => _owners.Pointer + Elements(convolutionGroup, block);

    public override byte* StepsOf(int convolutionGroup, int block) =>
        _steps.Pointer + ((long)convolutionGroup * VectorsPerGroup + block) * WindowsOfBlock;

    public override void Dispose()
    {
        _weights.Dispose();
        _owners.Dispose();
        _steps.Dispose();
    }

    private long Elements(int convolutionGroup, int block) => _stepsBefore[convolutionGroup * VectorsPerGroup + block] * _stepElements;
}
