namespace Dovetail.Core.Packing;

/// <summary>Which vectors a loop may use, so that a test can run every path on one machine.</summary>
internal enum VectorUse
{
    /// <summary>Whatever the processor has.</summary>
    Best,

    /// <summary>Up to 128 bits, as on processors without AVX-512.</summary>
    Narrow,

    /// <summary>None.</summary>
    None,
}
