using Dovetail.Core.Patterns;
using Dovetail.Onnx.Model;

namespace Dovetail.Training;

/// <summary>What a training leaves: a model that satisfies the pattern exactly, also where it was cut short.</summary>
/// <param name="Model">The graph with trained weights, exact zeros outside the masks; it declares which layer has which pattern.</param>
/// <param name="Tensors">What was learned and what stayed, in the order in which the graph reads it.</param>
/// <param name="Masks">The layers under masks, in graph order; empty for a dense training.</param>
/// <param name="History">One entry a completed epoch.</param>
/// <param name="ValidationAccuracy">Of <see cref="Model"/>, 0 … 1.</param>
/// <param name="TestAccuracy">Of <see cref="Model"/>, 0 … 1; null where it was not asked for, or the training is not complete.</param>
/// <param name="IsComplete">False where it was cancelled before its last step.</param>
/// <param name="Steps">Steps done.</param>
/// <param name="Seconds">Of training and validation, this run only.</param>
public sealed record TrainingResult(
    OnnxModel Model,
    IReadOnlyList<TrainedTensor> Tensors,
    IReadOnlyList<LayerMask> Masks,
    IReadOnlyList<EpochRecord> History,
    double ValidationAccuracy,
    double? TestAccuracy,
    bool IsComplete,
    int Steps,
    double Seconds);

/// <param name="LayerName">The node's name.</param>
/// <param name="WeightName">The initializer's name.</param>
/// <param name="Layout">The pattern on the layer's shape.</param>
/// <param name="Mask">Matrix order: true for owners, whatever their value.</param>
public sealed record LayerMask(string LayerName, string WeightName, CellLayout Layout, bool[] Mask);
