namespace Dovetail.Accelerator.Cost;

/// <summary>Dynamic energy by class of event. Leakage, clock tree and control are not in it.</summary>
public sealed record EnergyBreakdown(
    double MultiplyPicojoules, double AddPicojoules, double SelectPicojoules, double RegisterPicojoules,
    double IfmapSramPicojoules, double FilterSramPicojoules, double OfmapSramPicojoules, double DramPicojoules)
{
    public double TotalPicojoules =>
        MultiplyPicojoules + AddPicojoules + SelectPicojoules + RegisterPicojoules
        + IfmapSramPicojoules + FilterSramPicojoules + OfmapSramPicojoules + DramPicojoules;

    public static EnergyBreakdown Zero { get; } = new(0, 0, 0, 0, 0, 0, 0, 0);

    public static EnergyBreakdown operator +(EnergyBreakdown a, EnergyBreakdown b) => new(
        a.MultiplyPicojoules + b.MultiplyPicojoules, a.AddPicojoules + b.AddPicojoules,
        a.SelectPicojoules + b.SelectPicojoules, a.RegisterPicojoules + b.RegisterPicojoules,
        a.IfmapSramPicojoules + b.IfmapSramPicojoules, a.FilterSramPicojoules + b.FilterSramPicojoules,
        a.OfmapSramPicojoules + b.OfmapSramPicojoules, a.DramPicojoules + b.DramPicojoules);
}
