namespace Dovetail.Tests;

/// <summary>Finds the checkout that the test was built from: its documents, lists and projects.</summary>
internal static class Repository
{
    public static string Root { get; } = Find();

    public static IEnumerable<string> SourceProjects() =>
        Directory.EnumerateFiles(Path.Combine(Root, "src"), "*.csproj", SearchOption.AllDirectories);

    // Not by [CallerFilePath]: a deterministic build writes '/_/' there.
    private static string Find()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (File.Exists(Path.Combine(folder.FullName, "Dovetail.slnx")))
                return folder.FullName;
        throw new InvalidOperationException($"No folder above {AppContext.BaseDirectory} holds Dovetail.slnx; run the tests inside the "
            + "repository.");
    }
}
