namespace Dovetail.Benchmarking.Costs;

/// <summary>Both ways of running layers on one machine, and a Transpose between NCHW and NHWC.</summary>
/// <param name="Transpose">All zero for matrix products, which need none.</param>
public sealed record CostCalibration(CalibrationKey Key, SideCost Dense, SideCost Packed, SideCost Transpose);
