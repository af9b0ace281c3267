using Dovetail.Accelerator.Cost;
using Dovetail.Accelerator.Mapping;

namespace Dovetail.Accelerator.Simulation;

/// <summary>
/// DRAM traffic of a weight-stationary layer, fold by fold: which channels lie in the input buffer, and
/// where partial sums wait. The rules are <see cref="ClosedFormDram"/>'s, but followed, not summed up.
/// </summary>
internal sealed class DramCounter(LayerMapping mapping)
{
    private readonly bool _inputStays = ClosedFormDram.FitsHalf(ClosedFormDram.InputBits(mapping), mapping.Config.IfmapSramBytes);
    private readonly bool[] _present = new bool[mapping.Layout.Shape.Channels];
    private int _group = -1;
    private long _ifmapBits;
    private long _filterBits;
    private long _ofmapBits;

    public void Add(ArrayFold fold, FoldUse use)
    {
        if (fold.ConvolutionGroup != _group || !_inputStays)
            Array.Clear(_present);
        _group = fold.ConvolutionGroup;
        for (int slot = fold.FirstSlot; slot < fold.FirstSlot + fold.Slots; slot++)
            for (int lane = 0; lane < mapping.Candidates(slot); lane++)
                FetchChannel(mapping.Layout.InputColumn(slot / mapping.Pattern.Keep, lane) % _present.Length);

        _filterBits += (long)fold.Slots * (fold.Outputs * mapping.Config.WeightBits + use.OwnerWords * mapping.Pattern.IndexBits);

        long sums = (long)mapping.Pixels * fold.Outputs * mapping.Config.AccumulatorBits;
        if (!ClosedFormDram.FitsHalf(sums, mapping.Config.OfmapSramBytes))
            _ofmapBits += (fold.IsFirst ? 0 : sums) + (fold.IsLast ? 0 : sums);
        if (fold.IsLast)
            _ofmapBits += (long)mapping.Pixels * fold.Outputs * mapping.Config.ActivationBits;
    }

    public DramTraffic ToTraffic() => ClosedFormDram.Traffic(_ifmapBits, _filterBits, _ofmapBits);

    private void FetchChannel(int channel)
    {
        if (_present[channel])
            return;
        _present[channel] = true;
        _ifmapBits += ClosedFormDram.MapSize(mapping) * mapping.Config.ActivationBits;
    }
}
