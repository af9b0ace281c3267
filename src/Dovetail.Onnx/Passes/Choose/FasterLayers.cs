namespace Dovetail.Onnx.Passes.Choose;

/// <summary>Pack only what gains.</summary>
/// <param name="LeastGain">The share of a layer's dense time that packing has to save: predictions err, and a dense layer needs no custom
/// operator.</param>
public sealed record FasterLayers(ILayerTimes Times, double LeastGain = FasterLayers.UsualLeastGain)
{
    /// <summary>The share where nobody asks for another.</summary>
    public const double UsualLeastGain = 0.05;
}
