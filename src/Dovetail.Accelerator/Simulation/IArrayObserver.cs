using Dovetail.Accelerator.Mapping;

namespace Dovetail.Accelerator.Simulation;

/// <summary>Sees a weight-stationary array after each of its cycles, in the order in which they elapse.</summary>
public interface IArrayObserver
{
    /// <summary>A layer starts.</summary>
    void BeginLayer(LayerMapping mapping);

    /// <summary>The cycles that follow load or stream this fold. With overlapped folds a load that a stream hides has no cycles of
    /// its own.</summary>
    /// <param name="number">From 0, within the layer.</param>
    void BeginPhase(ArrayPhase phase, int number, ArrayFold fold);

    /// <summary>A cycle has elapsed. The object is used again for the next one.</summary>
    void Elapsed(ArrayCycle cycle);
}
