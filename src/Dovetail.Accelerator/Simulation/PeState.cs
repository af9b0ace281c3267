namespace Dovetail.Accelerator.Simulation;

/// <summary>A processing element at the end of a cycle.</summary>
/// <param name="Weight">While loading the weight that passes, else the one that the multiplier has.</param>
/// <param name="Owner">Its lane, below the array's lanes.</param>
/// <param name="Pixel">The pixel whose activation was multiplied in this cycle; -1 where none was.</param>
/// <param name="Operand">The activation that was multiplied: uint8 − 128.</param>
/// <param name="Selected">What the selector gave in this cycle; a registered one is multiplied in the next.</param>
/// <param name="Sum">The partial sum that goes to the PE below.</param>
public readonly record struct PeState(int Weight, int Owner, int Pixel, int Operand, int Selected, int Sum);
