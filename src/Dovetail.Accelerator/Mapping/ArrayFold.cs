namespace Dovetail.Accelerator.Mapping;

/// <summary>The part of a layer that the array holds at one time.</summary>
/// <param name="ConvolutionGroup">The convolution group, 0 … groups − 1.</param>
/// <param name="FirstSlot">Packed slot in array row 0.</param>
/// <param name="Slots">Array rows in use.</param>
/// <param name="FirstOutput">Output in array column 0, counted over all convolution groups.</param>
/// <param name="Outputs">Array columns in use.</param>
/// <param name="IsFirst">The first fold of its outputs: their partial sums start here.</param>
/// <param name="IsLast">The last fold of its outputs: their sums are complete.</param>
public readonly record struct ArrayFold(
    int ConvolutionGroup, int FirstSlot, int Slots, int FirstOutput, int Outputs, bool IsFirst, bool IsLast);
