using Dovetail.Core.Patterns;
using Dovetail.Onnx.Layers;
using Dovetail.Onnx.Model;

namespace Dovetail.Onnx.Pruning;

/// <summary>What a pruner is given: one layer of a model, after those before it were pruned.</summary>
public sealed class PruningContext
{
    private readonly OnnxModel _model;
    private readonly ICalibrationInputs? _inputs;

    /// <param name="model">Holds the layer.</param>
    /// <param name="layer">With floating-point weights that are finite.</param>
    /// <param name="pattern">Fits the layer.</param>
    /// <param name="inputs">Null: there are no calibration data.</param>
    public PruningContext(
        OnnxModel model, WeightLayer layer, ComplementaryPattern pattern, ICalibrationInputs? inputs = null,
        CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(layer);
        (_model, _inputs) = (model, inputs);
        (Layer, Layout, Weights, Cancellation) = (layer, new CellLayout(pattern, layer.Shape), layer.GetWeights(), cancellation);
    }

    public WeightLayer Layer { get; }

    /// <summary>The cells of the pattern on the layer's weights.</summary>
    public CellLayout Layout { get; }

    /// <summary>Before pruning, in matrix order [outputs, taps·channels].</summary>
    public ReadOnlyMemory<float> Weights { get; }

    /// <summary>For pruners that take long.</summary>
    public CancellationToken Cancellation { get; }

    /// <summary>What the layer reads on calibration data (<see cref="ICalibrationInputs.Read"/>).</summary>
    /// <exception cref="OnnxException">There are no calibration data.</exception>
    public IEnumerable<float[]> ReadInputs(int group = 0) => _inputs is null
        ? throw new OnnxException(
            $"Layer '{Layer.Name}' is to be pruned by its inputs, and there are no calibration data. "
            + $"Give {nameof(PruningOptions)}.{nameof(PruningOptions.Inputs)}, or prune by magnitude.")
        : _inputs.Read(_model, Layer, group);
}
