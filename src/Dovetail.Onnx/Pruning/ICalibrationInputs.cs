using Dovetail.Onnx.Layers;
using Dovetail.Onnx.Model;

namespace Dovetail.Onnx.Pruning;

/// <summary>What layers read on calibration data, for pruners that weigh a weight by its inputs.</summary>
public interface ICalibrationInputs
{
    /// <summary>The rows of X in the layer's product Y = X·Wᵀ: patches of a convolution, tokens of a matrix product.</summary>
    /// <param name="model">As pruned so far: the layers before this one have their new weights.</param>
    /// <param name="group">Of a convolution in groups: the inputs that this group's outputs read; else 0.</param>
    /// <returns>Batches of whole rows, [rows, taps·channels], row-major.</returns>
    IEnumerable<float[]> Read(OnnxModel model, WeightLayer layer, int group);
}
