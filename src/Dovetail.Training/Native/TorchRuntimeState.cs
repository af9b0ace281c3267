namespace Dovetail.Training.Native;

/// <summary>What <c>dovetail doctor</c> says of libtorch.</summary>
/// <param name="IsAvailable">True where training works.</param>
/// <param name="IsPatched">True where a patched copy of TorchSharp's library stands in for an older libstdc++.</param>
/// <param name="LibraryPath">TorchSharp's native library that was loaded.</param>
/// <param name="Location">Where libtorch was found.</param>
/// <param name="Version">libtorch's version.</param>
/// <param name="Problem">Why it is not available; one message.</param>
public sealed record TorchRuntimeState(
    bool IsAvailable, bool IsPatched, string? LibraryPath, LibTorchLocation? Location, string? Version, string? Problem);
