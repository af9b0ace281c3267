namespace Dovetail.Kernels.Broadcast;

/// <summary>Where the terms of consecutive outputs are read: weights and their columns, and how many each output has.</summary>
internal readonly unsafe struct TermStream(float* weights, ushort* columns, ushort* counts)
{
    public readonly float* Weights = weights;
    public readonly ushort* Columns = columns;
    public readonly ushort* Counts = counts;
}
