using Dovetail.Accelerator.Config;

namespace Dovetail.Accelerator.Cost;

/// <summary>
/// Energy = Σ events × energy per event.
/// 1. Multiplications scale with the product of the operand widths, additions with the accumulator's width.
/// 2. A group:1 selector is group − 1 multiplexers for each bit of the activation.
/// 3. Registers and SRAM count by bits; an SRAM access costs that of one bank.
/// </summary>
public static class EnergyModel
{
    public static EnergyBreakdown Of(ArrayConfig config, EventCounts events, DramTraffic dram)
    {
        ArgumentNullException.ThrowIfNull(config);
        ArgumentNullException.ThrowIfNull(events);
        ArgumentNullException.ThrowIfNull(dram);
        EnergyTable table = config.Energy;
        double activationBytes = config.ActivationBits / 8.0, sumBytes = config.AccumulatorBits / 8.0;
        double filterBytes = (events.FilterReads * (double)config.WeightBits + events.OwnerReads * (double)config.Pattern.IndexBits) / 8;
        double registerBits =
            (events.LaneWrites + events.OperandWrites) * (double)config.ActivationBits
            + events.PartialSumWrites * (double)config.AccumulatorBits
            + events.StationaryWrites * (double)(config.WeightBits + config.Pattern.IndexBits);
        return new EnergyBreakdown(
            events.Macs * table.MultiplyInt8Picojoules * config.ActivationBits * config.WeightBits / 64,
            events.Macs * table.AddInt32Picojoules * config.AccumulatorBits / 32,
            events.Macs * table.MultiplexerBitPicojoules * (config.Lanes - 1) * config.ActivationBits,
            registerBits * table.RegisterBitPicojoules,
            events.IfmapReads * activationBytes * table.SramBytePicojoules(config.IfmapSramBytes / config.SramBanks),
            filterBytes * table.SramBytePicojoules(config.FilterSramBytes / config.SramBanks),
            (events.OfmapWrites + events.OfmapReads) * sumBytes * table.SramBytePicojoules(config.OfmapSramBytes / config.SramBanks),
            dram.TotalBytes * table.DramBytePicojoules);
    }
}
