namespace Dovetail.Onnx.Passes.Pack;

/// <summary>Where images are NHWC in the packed model, and where Transposes stand.</summary>
/// <param name="Regions">Of images in NHWC.</param>
/// <param name="Transposes">Between the layouts, in graph order.</param>
public sealed record LayoutPlan(IReadOnlyList<ChannelsLastRegion> Regions, IReadOnlyList<LayoutTranspose> Transposes)
{
    internal static LayoutPlan None { get; } = new([], []);
}

/// <summary>Images in NHWC with only operators between them that work in that layout.</summary>
/// <param name="Images">The tensors, in graph order.</param>
/// <param name="Layers">The packed convolutions among the operators.</param>
public sealed record ChannelsLastRegion(IReadOnlyList<string> Images, IReadOnlyList<string> Layers);

/// <summary>A Transpose at the border of a region.</summary>
/// <param name="Image">The tensor on its NCHW side.</param>
/// <param name="ToChannelsLast">Into the region; otherwise out of it.</param>
public sealed record LayoutTranspose(string Image, bool ToChannelsLast);
