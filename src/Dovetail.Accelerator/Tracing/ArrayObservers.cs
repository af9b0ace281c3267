using Dovetail.Accelerator.Mapping;
using Dovetail.Accelerator.Simulation;

namespace Dovetail.Accelerator.Tracing;

/// <summary>Several observers as one.</summary>
public static class ArrayObservers
{
    /// <summary>Tells the first, then the second; null where there is none.</summary>
    public static IArrayObserver? Both(IArrayObserver? first, IArrayObserver? second) =>
        first is null ? second : second is null ? first : new Pair(first, second);

    private sealed class Pair(IArrayObserver first, IArrayObserver second) : IArrayObserver
    {
        public void BeginLayer(LayerMapping mapping)
        {
            first.BeginLayer(mapping);
            second.BeginLayer(mapping);
        }

        public void BeginPhase(ArrayPhase phase, int number, ArrayFold fold)
        {
            first.BeginPhase(phase, number, fold);
            second.BeginPhase(phase, number, fold);
        }

        public void Elapsed(ArrayCycle cycle)
        {
            first.Elapsed(cycle);
            second.Elapsed(cycle);
        }
    }
}
