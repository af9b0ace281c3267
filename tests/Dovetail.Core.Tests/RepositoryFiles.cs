namespace Dovetail.Core.Tests;

/// <summary>Finds the repository that the test runs from, to read its documents and approved files.</summary>
internal static class RepositoryFiles
{
    public static string Root { get; } = Find();

    private static string Find()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (File.Exists(Path.Combine(folder.FullName, "Dovetail.slnx")))
                return folder.FullName;
        throw new InvalidOperationException($"No folder above {AppContext.BaseDirectory} holds Dovetail.slnx; run the tests inside the repository.");
    }
}
