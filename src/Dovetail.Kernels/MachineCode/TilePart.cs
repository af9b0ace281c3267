namespace Dovetail.Kernels.MachineCode;

/// <summary>The blocks of outputs that one call of an emitted function covers, the same for every tile of a run.</summary>
/// <param name="arguments">All but the rows; output and residual are those of the run's first pixel.</param>
/// <param name="vectors">Vectors of a block.</param>
/// <param name="isPartial">The last block has fewer outputs than lanes.</param>
/// <param name="outputs">Outputs of all blocks.</param>
internal readonly struct TilePart(TileArguments arguments, int vectors, bool isPartial, int outputs)
{
    public readonly TileArguments Arguments = arguments;
    public readonly int Vectors = vectors;
    public readonly bool IsPartial = isPartial;
    public readonly int Outputs = outputs;
}
