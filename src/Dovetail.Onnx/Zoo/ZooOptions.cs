namespace Dovetail.Onnx.Zoo;

/// <summary>Where a network of the zoo should differ from the published one.</summary>
public sealed record ZooOptions
{
    /// <summary>Blocks of a transformer; null: as published, 12.</summary>
    public int? Depth { get; init; }

    /// <summary>Height and width of the image; null: as published.</summary>
    public int? ImageSize { get; init; }
}
