using Dovetail.Core.Patterns;

namespace Dovetail.Onnx.Pruning;

/// <summary>Keeps the greatest weights of every cell as they are and drops the others.</summary>
public sealed class MagnitudePruner : IPruner
{
    public PrunedWeights Prune(PruningContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        float[] weights = context.Weights.ToArray();
        bool[] mask = Projection.ByMagnitude(weights, context.Layout);
        for (int i = 0; i < weights.Length; i++)
            if (!mask[i])
                weights[i] = 0;
        return new PrunedWeights(weights, mask);
    }
}
