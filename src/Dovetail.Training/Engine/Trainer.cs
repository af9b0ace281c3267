using Dovetail.Core.Patterns;
using Dovetail.Data;
using Dovetail.Onnx.Model;
using Dovetail.Training.Graph;
using Dovetail.Training.Graph.Operators;
using Dovetail.Training.Native;

namespace Dovetail.Training.Engine;

/// <summary>Trains an image classifier given as an ONNX graph, dense or under masks (docs/training.md).</summary>
public static class Trainer
{
    /// <param name="model">One input [N, C, H, W] (pixels 0 … 1), one output [N, classes] (logits). It is not changed; its weights are
    /// where training starts.</param>
    /// <param name="progress">Called on the training thread.</param>
    /// <param name="cancellation">Ends the training after the step under way: the state is kept in the checkpoint, and the result is a
    /// usable model.</param>
    /// <exception cref="GraphException">The graph cannot be trained, or does not fit the images.</exception>
    /// <exception cref="PatternException">The pattern fits no layer.</exception>
    /// <exception cref="TrainingException">Options out of range, a checkpoint that does not fit, or a loss that is no number.</exception>
    /// <exception cref="NativeLibraryException">libtorch does not load.</exception>
    public static TrainingResult Train(
        OnnxModel model, ImageDataset data, TrainingOptions options,
        IProgress<TrainingProgress>? progress = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(data);
        ArgumentNullException.ThrowIfNull(options);
        options.Check();
        TorchRuntime.EnsureLoaded();
        using var run = new TrainingRun(model, data, options);
        return run.Execute(progress, cancellation);
    }

    /// <summary>Which tensors a training would learn and which it would leave, in the order in which the graph reads them.</summary>
    /// <exception cref="GraphException">The graph cannot be trained, or the options name a tensor that it does not have.</exception>
    public static IReadOnlyList<TrainedTensor> Tensors(OnnxModel model, TrainingOptions options)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(options);
        OnnxModel named = model.Clone();
        named.NameNodes();
        return TensorRoles.Decide(named, GraphOperators.BuildAll(named), options.TrainedTensors, options.FrozenTensors);
    }

    /// <summary>Share of images that a model classifies right, in fp32, by libtorch.</summary>
    public static double Evaluate(OnnxModel model, ImageDataset data, ImageSet images)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(data);
        ArgumentNullException.ThrowIfNull(images);
        TorchRuntime.EnsureLoaded();
        using var graph = new TrainableGraph(model);
        using var tensors = new Optimization.ImageTensors(images, data);
        return Optimization.Evaluation.Accuracy(graph, tensors, [.. Enumerable.Range(0, images.Count)]);
    }
}
