using Dovetail.Core.Patterns;
using Dovetail.Kernels.Decode;
using Dovetail.Kernels.Selector;

namespace Dovetail.Kernels.Broadcast;

/// <summary>
/// The weights of any pattern in the order in which they are broadcast: [group][block][output], of each output its weights in
/// the block's columns, and with each weight its column there.
/// </summary>
internal sealed unsafe class BroadcastStreams : IDisposable
{
    private readonly AlignedBuffer _weights;
    private readonly AlignedBuffer _columns;
    private readonly AlignedBuffer _counts;
    private readonly long[] _termsBefore;
    private readonly int _outputsPerGroup;

    private BroadcastStreams(ColumnBlock[] blocks, WeightShape shape, int terms)
    {
        (Blocks, _outputsPerGroup) = (blocks, shape.OutputsPerGroup);
        _weights = new AlignedBuffer((nuint)terms * sizeof(float));
        _columns = new AlignedBuffer((nuint)terms * sizeof(ushort));
        _counts = new AlignedBuffer((nuint)((long)shape.Outputs * blocks.Length) * sizeof(ushort));
        _termsBefore = new long[(long)shape.Outputs * blocks.Length + 1];
    }

    public ColumnBlock[] Blocks { get; }

    public static BroadcastStreams Create(TermList<float> terms, WeightShape shape, int columnsAtMost)
    {
        var streams = new BroadcastStreams(ColumnBlock.Cut(shape.Taps, shape.Channels, columnsAtMost), shape, terms.Values.Length);
        (int[] blockOf, int[] columnOf) = streams.MapColumns(shape);
        var counts = (ushort*)streams._counts.Pointer;
        for (int m = 0; m < shape.Outputs; m++)
            for (int t = terms.RowStart[m]; t < terms.RowStart[m + 1]; t++)
                counts[streams.Index(m, blockOf[Column(t)])]++;
        for (long i = 0; i < streams._termsBefore.LongLength - 1; i++)
            streams._termsBefore[i + 1] = streams._termsBefore[i] + counts[i];

        var next = (long[])streams._termsBefore.Clone();
        for (int m = 0; m < shape.Outputs; m++)
            for (int t = terms.RowStart[m]; t < terms.RowStart[m + 1]; t++)
            {
                long at = next[streams.Index(m, blockOf[Column(t)])]++;
                ((float*)streams._weights.Pointer)[at] = terms.Values[t];
                ((ushort*)streams._columns.Pointer)[at] = (ushort)columnOf[Column(t)];
            }

        return streams;

        int Column(int term) => terms.Taps[term] * shape.Channels + terms.Channels[term];
    }

    /// <summary>The terms of an output and those behind it, in one block.</summary>
    public TermStream Terms(int output, int block)
    {
        long index = Index(output, block);
        return new TermStream(
            (float*)_weights.Pointer + _termsBefore[index], (ushort*)_columns.Pointer + _termsBefore[index],
            (ushort*)_counts.Pointer + index);
    }

    public void Dispose()
    {
        _weights.Dispose();
        _columns.Dispose();
        _counts.Dispose();
    }

    private long Index(int output, int block)
    {
        (int group, int inGroup) = Math.DivRem(output, _outputsPerGroup);
        return ((long)group * Blocks.Length + block) * _outputsPerGroup + inGroup;
    }

    private (int[] BlockOf, int[] ColumnOf) MapColumns(WeightShape shape)
    {
        (int[] blockOf, int[] columnOf) = (new int[shape.Taps * shape.Channels], new int[shape.Taps * shape.Channels]);
        for (int i = 0; i < Blocks.Length; i++)
            for (int column = 0; column < Blocks[i].Columns; column++)
            {
                (int tap, int channel) = Math.DivRem(column, Blocks[i].Channels);
                int at = (Blocks[i].FirstTap + tap) * shape.Channels + Blocks[i].FirstChannel + channel;
                (blockOf[at], columnOf[at]) = (i, column);
            }

        return (blockOf, columnOf);
    }
}
