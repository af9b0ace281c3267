using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Dovetail.Core.Files;
using TorchSharp;

namespace Dovetail.Training.Native;

/// <summary>
/// Loads libtorch and TorchSharp's native library, once a process. Whatever touches <c>torch</c> calls
/// <see cref="EnsureLoaded"/> first.
/// 1. The four libraries lie where the host looks for native files (NATIVE_DLL_SEARCH_DIRECTORIES).
/// 2. Where libstdc++ lacks GLIBCXX_3.4.32, a patched copy stands in for libLibTorchSharp.so
///    (<see cref="LibTorchSharpPatch"/>). It lies elsewhere, so libtorch is loaded first, by its path:
///    the loader then finds the copy's dependencies by their names.
/// 3. TorchSharp's imports are resolved to that handle.
/// </summary>
public static class TorchRuntime
{
    private static readonly Lazy<TorchRuntimeState> State = new(Load);

    /// <summary>Fast after the first call.</summary>
    /// <exception cref="NativeLibraryException">A library is missing, unexpected, or does not load.</exception>
    public static void EnsureLoaded() => _ = State.Value;

    /// <summary>What was loaded, or why it could not be; loads if needed and never throws.</summary>
    public static TorchRuntimeState Describe()
    {
        try
        {
            return State.Value;
        }
        catch (Exception error)
        {
            return new TorchRuntimeState(IsAvailable: false, IsPatched: false, LibraryPath: null, Version: null, Problem: error.Message);
        }
    }

    private static TorchRuntimeState Load()
    {
        Assembly torchSharp = typeof(torch).Assembly; // metadata only: does not run torch's initializer
        PatchedLibrary? patched = null;
        if (OperatingSystem.IsLinux())
        {
            if (RuntimeInformation.ProcessArchitecture != Architecture.X64)
                throw new NativeLibraryException($"libtorch has no NuGet package for Linux on {RuntimeInformation.ProcessArchitecture}, expected X64. Verbs that need no training work here.");
            patched = LoadOnLinux(torchSharp);
        }

        string version = InitializeTorch(patched);
        return new TorchRuntimeState(IsAvailable: true, patched?.IsPatched ?? false, patched?.Path, version, Problem: null);
    }

    private static PatchedLibrary LoadOnLinux(Assembly torchSharp)
    {
        string original = NativeFiles.Find("libLibTorchSharp.so");
        var cache = new PatchedLibraryCache(UserCache.Root);
        PatchedLibrary library = cache.Prepare(original, LibStdCpp.Defines(LibTorchSharpPatch.Initializer, LibTorchSharpPatch.Version));
        try
        {
            foreach (string name in (string[])["libc10.so", "libtorch_cpu.so", "libtorch.so"])
                Open(NativeFiles.Find(name));
            nint handle = Open(library.Path);
            NativeLibrary.SetDllImportResolver(torchSharp, (name, _, _) => name == "LibTorchSharp" ? handle : 0);
        }
        finally
        {
            if (library.TemporaryFolder is not null)
                Directory.Delete(library.TemporaryFolder, recursive: true); // mapped already, the name is not needed
        }

        return library;
    }

    // Kept apart so that the type initializer of torch runs only after the libraries are in place.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static string InitializeTorch(PatchedLibrary? library)
    {
        try
        {
            torch.InitializeDeviceType(DeviceType.CPU);
            return torch.__version__;
        }
        catch (Exception error) when (error is TypeInitializationException or DllNotFoundException or NotSupportedException or EntryPointNotFoundException)
        {
            throw new NativeLibraryException(
                $"TorchSharp did not start{(library is null ? "" : $" with {library.Path}")}: {(error.InnerException ?? error).Message}", error);
        }
    }

    private static nint Open(string path)
    {
        try
        {
            return NativeLibrary.Load(path);
        }
        catch (Exception error) when (error is DllNotFoundException or BadImageFormatException)
        {
            throw new NativeLibraryException($"{path} does not load: {error.Message}", error);
        }
    }
}
