namespace Dovetail.Accelerator.Cost;

/// <summary>
/// Estimated area of an array in units of one dense PE (8×8-bit multiplier, 32-bit adder, its registers).
/// Buffers, skew registers and control are not in it.
/// </summary>
/// <param name="RatioToDense">Area over that of a dense array of as many PEs with the same clusters.</param>
/// <param name="IsSynthesized">True where the ratio is a synthesis result, false where the model interpolates.</param>
/// <param name="SelectorShare">Modelled addition of the selectors, as a part of a dense PE.</param>
/// <param name="LaneRegisterShare">… of the lanes' registers beyond the dense array's one lane.</param>
/// <param name="OwnerRegisterShare">… of the owners' registers.</param>
/// <param name="OperandRegisterShare">… of the registers behind the selectors.</param>
/// <param name="PeEquivalents">Area of the whole array in dense PEs.</param>
/// <param name="ThroughputPerAreaGain">group / keep over the ratio: how much more of the dense layer a unit of area computes per
/// cycle.</param>
/// <param name="Source">Where the numbers come from, for a report.</param>
public sealed record AreaEstimate(
    double RatioToDense, bool IsSynthesized,
    double SelectorShare, double LaneRegisterShare, double OwnerRegisterShare, double OperandRegisterShare,
    double PeEquivalents, double ThroughputPerAreaGain, string Source);
