using Dovetail.Core.Patterns;

namespace Dovetail.Kernels;

/// <summary>What a kernel prepares itself for: the constants of one layer.</summary>
internal interface ILayerSpecification
{
    CellLayout Layout { get; }

    /// <exception cref="KernelException">The parts do not fit each other.</exception>
    void Validate();
}
