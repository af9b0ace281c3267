namespace Dovetail.Kernels.MachineCode;

/// <summary>How the weights of a stream lie in memory. Weights that 16 bits hold exactly take 16 bits: at batch 1 their bytes are the
/// time.</summary>
internal enum WeightStorage
{
    /// <summary>As they are multiplied.</summary>
    AsMultiplied,

    /// <summary>IEEE half precision, widened by <c>vcvtph2ps</c>.</summary>
    Float16,

    /// <summary>
    /// bfloat16. Blocks of two vectors: a lane of 32 bits holds the first vector's weight low and the second's high, so that a
    /// shift and a mask widen them. Single vectors: in order.
    /// </summary>
    BFloat16,
}
