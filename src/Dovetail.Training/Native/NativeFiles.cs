using System.Runtime.InteropServices;

namespace Dovetail.Training.Native;

/// <summary>Where the host looks for the native files of NuGet packages.</summary>
internal static class NativeFiles
{
    /// <exception cref="NativeLibraryException">No folder holds the file; the message lists them.</exception>
    public static string Find(string fileName)
    {
        List<string> folders = Folders();
        foreach (string folder in folders)
        {
            string path = Path.Combine(folder, fileName);
            if (File.Exists(path))
                return Path.GetFullPath(path);
        }

        throw new NativeLibraryException($"{fileName} is in none of {string.Join(", ", folders)}. Build the project again: its NuGet packages bring the file.");
    }

    private static List<string> Folders()
    {
        string search = AppContext.GetData("NATIVE_DLL_SEARCH_DIRECTORIES") as string ?? "";
        var folders = search.Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries).ToList();
        folders.Add(AppContext.BaseDirectory);
        folders.Add(Path.Combine(AppContext.BaseDirectory, "runtimes", RuntimeInformation.RuntimeIdentifier, "native"));
        return [.. folders.Distinct()];
    }
}
