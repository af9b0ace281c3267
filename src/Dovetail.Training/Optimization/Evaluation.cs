using Dovetail.Training.Graph;
using Dovetail.Training.Graph.Operators;
using TorchSharp;
using static TorchSharp.torch;

namespace Dovetail.Training.Optimization;

/// <summary>Accuracy in fp32 with running statistics.</summary>
internal static class Evaluation
{
    private const int BatchSize = 256;

    /// <returns>Share of images whose greatest logit is their label's, 0 … 1.</returns>
    public static double Accuracy(TrainableGraph graph, ImageTensors images, int[] indices)
    {
        using IDisposable noGradient = no_grad();
        long correct = 0;
        for (int start = 0; start < indices.Length; start += BatchSize)
        {
            using DisposeScope scope = NewDisposeScope();
            (Tensor x, Tensor labels) = images.Batch(indices.AsSpan(start, Math.Min(BatchSize, indices.Length - start)));
            correct += graph.Forward(x, ForwardMode.Evaluation).argmax(1).eq(labels).sum().item<long>();
        }

        return (double)correct / indices.Length;
    }
}
