namespace Dovetail.Data;

/// <summary>Labelled images, in memory, without Torch.</summary>
/// <param name="Name">e.g. "fashion-mnist".</param>
/// <param name="Source">Where they came from, for reports.</param>
/// <param name="Train">To learn from; a part of it is held out for validation.</param>
/// <param name="Test">To report accuracy on; never seen in training.</param>
/// <param name="ClassNames">One a label.</param>
/// <param name="Width">Pixels.</param>
/// <param name="Height">Pixels.</param>
/// <param name="Channels">1 for grey.</param>
public sealed record ImageDataset(
    string Name,
    DatasetSource Source,
    ImageSet Train,
    ImageSet Test,
    IReadOnlyList<string> ClassNames,
    int Width,
    int Height,
    int Channels)
{
    public int Classes => ClassNames.Count;

    /// <summary>Bytes of one image.</summary>
    public int PixelsPerImage => Width * Height * Channels;
}

/// <param name="Pixels">[images, channels, height, width], 0 … 255.</param>
/// <param name="Labels">[images].</param>
public sealed record ImageSet(byte[] Pixels, byte[] Labels)
{
    public int Count => Labels.Length;
}

/// <summary>Where a data set came from.</summary>
/// <param name="Kind">Which of the places.</param>
/// <param name="Folder">The folder; null for the embedded sample.</param>
public sealed record DatasetSource(DatasetSourceKind Kind, string? Folder)
{
    /// <summary>True where the images are the embedded sample, not the whole set.</summary>
    public bool IsSample => Kind == DatasetSourceKind.EmbeddedSample;

    public override string ToString() => Kind switch
    {
        DatasetSourceKind.SystemPackage => $"Debian package, {Folder}",
        DatasetSourceKind.UserCache => $"cache, {Folder}",
        DatasetSourceKind.Folder => Folder!,
        _ => "embedded sample",
    };
}

public enum DatasetSourceKind
{
    SystemPackage,
    UserCache,
    Folder,
    EmbeddedSample,
}
