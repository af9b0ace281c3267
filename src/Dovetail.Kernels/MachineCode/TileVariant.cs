namespace Dovetail.Kernels.MachineCode;

/// <summary>What one emitted function is made for. Everything else is an argument (<see cref="TileArguments"/>).</summary>
/// <param name="Arithmetic">Its instructions.</param>
/// <param name="Storage">How its weights lie in memory.</param>
/// <param name="Pixels">Output pixels in registers, 1 to <see cref="TileEmitter.MaxPixels"/>.</param>
/// <param name="Vectors">Vectors of 16 outputs in registers, 1 or 2.</param>
/// <param name="Steps">Steps of a window, unrolled; 0: read from <see cref="TileArguments.Steps"/>.</param>
/// <param name="IsPartial">The last vector's lanes behind the outputs are masked.</param>
/// <param name="HasResidual">A residual is added; float sums only.</param>
/// <param name="ClampsLow">Results are raised to the lower bound; quantized: scaled sums, where saturating to a byte is not enough.</param>
/// <param name="ClampsHigh">Results are lowered to the upper bound; quantized: likewise.</param>
internal readonly record struct TileVariant(
    TileArithmetic Arithmetic, WeightStorage Storage, int Pixels, int Vectors, int Steps, bool IsPartial,
    bool HasResidual, bool ClampsLow, bool ClampsHigh);
