namespace Dovetail.Training.Native;

/// <summary>How far <see cref="LibTorchInstaller"/> is.</summary>
/// <param name="Source">Name of the NuGet source; null where none is meant.</param>
/// <param name="Bytes">Done, with what an earlier attempt left.</param>
/// <param name="TotalBytes">Expected.</param>
public sealed record LibTorchProgress(LibTorchStage Stage, string? Source, long Bytes, long TotalBytes);

public enum LibTorchStage
{
    /// <summary>Another process is installing it.</summary>
    Waiting,

    Downloading,

    /// <summary>Comparing the package with its pinned hash.</summary>
    Checking,

    Unpacking,
}
