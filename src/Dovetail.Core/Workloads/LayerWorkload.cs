namespace Dovetail.Core.Workloads;

/// <summary>
/// A layer as the matrix product Y[M, N] = W[M, K] · X[K, N] for one input (batch 1):
/// M outputs, N columns (pixels or tokens), K inputs of one output (taps·channels per convolution group).
/// </summary>
/// <param name="Name">The node's name in the graph.</param>
/// <param name="Op">"Conv" or "Gemm".</param>
/// <param name="Convolution">Null for a matrix product.</param>
public sealed record LayerWorkload(string Name, string Op, int M, int N, int K, ConvolutionGeometry? Convolution = null)
{
    /// <summary>Multiply-accumulates of the dense layer.</summary>
    public long DenseMacs => (long)M * N * K;
}
