namespace Dovetail.Accelerator.Mapping;

/// <summary>
/// A layer as SCALE-Sim names it, also in our JSON: m = <see cref="Pixels"/> (output pixels or tokens),
/// n = <see cref="Outputs"/> (filters), k = <see cref="Inputs"/> (window of one output).
/// <see cref="Core.Workloads.LayerWorkload"/> has M and N the other way round.
/// </summary>
public sealed record GemmShape(int Pixels, int Outputs, int Inputs)
{
    public long Macs => (long)Pixels * Outputs * Inputs;
}
