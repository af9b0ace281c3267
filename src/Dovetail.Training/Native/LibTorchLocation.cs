namespace Dovetail.Training.Native;

/// <summary>Where libtorch lies on this machine.</summary>
/// <param name="Folder">Holds the libraries.</param>
public sealed record LibTorchLocation(string Folder, LibTorchOrigin Origin);

/// <summary>Who put libtorch there.</summary>
public enum LibTorchOrigin
{
    /// <summary>The user, by the environment variable DOVETAIL_LIBTORCH.</summary>
    Variable,

    /// <summary>The application, which references one of libtorch's packages itself.</summary>
    Application,

    /// <summary><see cref="LibTorchInstaller"/>, in Dovetail's cache.</summary>
    Cache,

    /// <summary>NuGet, in a folder of restored packages; used in place.</summary>
    NuGet,
}
