namespace Dovetail.Onnx.Passes.Pack;

/// <summary>Where images will be NHWC, and where Transposes will stand.</summary>
/// <param name="Regions">Images that share a layout because only operators that do not care stand between them; those that packed convolutions touch.</param>
/// <param name="Transposes">The tensor before each, in graph order.</param>
public sealed record LayoutPlan(IReadOnlyList<ImageRegion> Regions, IReadOnlyList<string> Transposes);

/// <summary>Images of one layout.</summary>
/// <param name="Layers">The packed convolutions that read or write them.</param>
/// <param name="IsChannelsLast">NHWC; otherwise NCHW, as in the source.</param>
public sealed record ImageRegion(IReadOnlyList<string> Images, IReadOnlyList<string> Layers, bool IsChannelsLast);
