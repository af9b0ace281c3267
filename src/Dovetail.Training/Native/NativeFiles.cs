namespace Dovetail.Training.Native;

/// <summary>Where the host looks for the native files of NuGet packages.</summary>
internal static class NativeFiles
{
    /// <summary>The folders that hold the application's native files.</summary>
    public static IReadOnlyList<string> Folders { get; } = FindFolders();

    /// <exception cref="NativeLibraryException">No folder holds the file; the message lists them.</exception>
    public static string Find(string fileName) =>
        Folders.Select(folder => Path.Combine(folder, fileName)).FirstOrDefault(File.Exists) is { } path
            ? Path.GetFullPath(path)
            : throw new NativeLibraryException(
                $"{fileName} is in none of {string.Join(", ", Folders)}. " +
                "Install or build Dovetail again: the package TorchSharp brings the file.");

    private static List<string> FindFolders()
    {
        string search = AppContext.GetData("NATIVE_DLL_SEARCH_DIRECTORIES") as string ?? "";
        var folders = search.Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries).ToList();
        folders.Add(AppContext.BaseDirectory);
        if (LibTorchPackage.Current is { } package)
            folders.Add(Path.Combine(AppContext.BaseDirectory, "runtimes", package.Rid, "native"));
        return [.. folders.Distinct()];
    }
}
