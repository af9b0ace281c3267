using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Loader;
using Dovetail.Core.Files;
using TorchSharp;

namespace Dovetail.Training.Native;

/// <summary>
/// Loads libtorch and TorchSharp's native library, once a process. Whatever touches <c>torch</c> calls
/// <see cref="EnsureLoaded"/> first.
/// 1. libtorch's libraries are loaded by their paths, from wherever <see cref="LibTorchLocator"/> finds them; the loader then finds
///    them again by their names, which is what TorchSharp's library asks for.
/// 2. Where libstdc++ lacks GLIBCXX_3.4.32, a patched copy stands in for libLibTorchSharp.so (<see cref="LibTorchSharpPatch"/>).
/// 3. TorchSharp's imports are resolved to that handle, and its own search (which would copy libtorch out of NuGet's folder) finds it.
/// </summary>
public static class TorchRuntime
{
    private const string Imported = "LibTorchSharp";

    private static readonly Lock s_lock = new();
    private static TorchRuntimeState? s_state;
    private static nint s_handle;

    /// <summary>Fast after the first call. It never downloads: <see cref="LibTorchInstaller"/> does.</summary>
    /// <exception cref="NativeLibraryException">A library is missing, unexpected, or does not load.</exception>
    internal static void EnsureLoaded() => _ = Loaded();

    /// <summary>What was loaded, or why it could not be; loads if needed and never throws.</summary>
    public static TorchRuntimeState Describe()
    {
        try
        {
            return Loaded();
        }
        catch (Exception error)
        {
            return new TorchRuntimeState(
                IsAvailable: false, IsPatched: false, LibraryPath: null, Location: null, Version: null, Problem: error.Message);
        }
    }

    // What failed is tried again: libtorch may have been installed meanwhile.
    private static TorchRuntimeState Loaded()
    {
        lock (s_lock)
            return s_state ??= Load();
    }

    private static TorchRuntimeState Load()
    {
        LibTorchPackage package = LibTorchPackage.Require();
        LibTorchLocation location = new LibTorchLocator().Find() ?? throw new NativeLibraryException(
            $"libtorch {LibTorchPackage.Version} is not on this machine. " +
            $"Bring it by '{nameof(LibTorchInstaller)}.{nameof(LibTorchInstaller.InstallAsync)}', " +
            $"reference the NuGet package {package.Id}, or set {LibTorchLocator.Variable} to a folder with its libraries.");
        PatchedLibrary library = LoadLibraries(package, location.Folder);
        string version = InitializeTorch(library);
        return new TorchRuntimeState(IsAvailable: true, library.IsPatched, library.Path, location, version, Problem: null);
    }

    private static PatchedLibrary LoadLibraries(LibTorchPackage package, string folder)
    {
        string original = NativeFiles.Find(
            OperatingSystem.IsWindows() ? "LibTorchSharp.dll"
            : OperatingSystem.IsMacOS() ? "libLibTorchSharp.dylib"
            : "libLibTorchSharp.so");
        bool serves = !OperatingSystem.IsLinux() || LibStdCpp.Defines(LibTorchSharpPatch.Initializer, LibTorchSharpPatch.Version);
        PatchedLibrary library = new PatchedLibraryCache(UserCache.Root).Prepare(original, serves);
        try
        {
            foreach (string name in package.Libraries)
                Open(Path.Combine(folder, name));
            Resolve(Open(library.Path));
        }
        finally
        {
            if (library.TemporaryFolder is not null)
                Directory.Delete(library.TemporaryFolder, recursive: true); // mapped already, the name is not needed
        }

        return library;
    }

    // An assembly takes one resolver: where torch failed to start, a second attempt finds it there, with the same handle.
    private static void Resolve(nint handle)
    {
        if (s_handle != 0)
            return;
        s_handle = handle;
        Assembly torchSharp = typeof(torch).Assembly; // metadata only: does not run torch's initializer
        NativeLibrary.SetDllImportResolver(torchSharp, (name, _, _) => name == Imported ? s_handle : 0);
        AssemblyLoadContext.GetLoadContext(torchSharp)!.ResolvingUnmanagedDll += (_, name) => name == Imported ? s_handle : 0;
    }

    // Kept apart so that the type initializer of torch runs only after the libraries are in place.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static string InitializeTorch(PatchedLibrary library)
    {
        try
        {
            torch.InitializeDeviceType(DeviceType.CPU);
            return torch.__version__;
        }
        catch (Exception error) when (error is TypeInitializationException or DllNotFoundException
            or NotSupportedException or EntryPointNotFoundException)
        {
            throw new NativeLibraryException(
                $"TorchSharp did not start with {library.Path}: {(error.InnerException ?? error).Message}", error);
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
