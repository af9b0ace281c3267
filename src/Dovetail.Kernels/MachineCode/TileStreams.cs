using Dovetail.Kernels.Selector;

namespace Dovetail.Kernels.MachineCode;

/// <summary>
/// Weights and owners in the order in which emitted tiles read them: [convolution group][block of outputs][tap][window],
/// a block being some vectors of outputs. Made when a layer is prepared, never in a file.
/// </summary>
internal abstract unsafe class TileStreams(StreamShape shape, int vectorsPerGroup, int vectorsPerBlock) : IDisposable
{
    public StreamShape Shape => shape;

    /// <summary>How the weights lie in memory.</summary>
    public virtual WeightStorage Storage => WeightStorage.AsMultiplied;

    public int VectorsPerBlock => vectorsPerBlock;

    public int BlocksPerGroup => (vectorsPerGroup + vectorsPerBlock - 1) / vectorsPerBlock;

    protected int VectorsPerGroup => vectorsPerGroup;

    public int VectorsOf(int block) => Math.Min(vectorsPerBlock, vectorsPerGroup - block * vectorsPerBlock);

    /// <summary>The weights of a block; those of the next follow.</summary>
    public abstract byte* WeightsOf(int convolutionGroup, int block);

    /// <summary>The owners of a block; those of the next follow.</summary>
    public abstract byte* OwnersOf(int convolutionGroup, int block);

    /// <summary>[tap][window] steps of a block where windows have different numbers of them, those of the next block follow; otherwise
    /// null.</summary>
    public virtual byte* StepsOf(int convolutionGroup, int block) => null;

    public abstract void Dispose();
}
