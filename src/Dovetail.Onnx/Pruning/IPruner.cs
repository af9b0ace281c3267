namespace Dovetail.Onnx.Pruning;

/// <summary>A way to make a layer sparse. It may also change the weights that it keeps, to make up for those that it drops.</summary>
public interface IPruner
{
    /// <summary>Says which weights stay and what they become; the model itself is not touched.</summary>
    /// <exception cref="Core.DovetailException">It needs inputs of the layer and there are none, or cannot prune these weights.</exception>
    PrunedWeights Prune(PruningContext context);
}
