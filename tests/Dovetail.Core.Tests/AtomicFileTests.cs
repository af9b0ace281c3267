namespace Dovetail.Core.Tests;

public sealed class AtomicFileTests
{
    /// <summary>Writers of one path at the same time do not share a temporary file: the last rename wins, whole.</summary>
    [Fact]
    public void ConcurrentWriters_LeaveOneWholeFile()
    {
        using var folder = new TemporaryFolder();
        string path = folder.File("x");
        Parallel.For(0, 20, i => AtomicFile.WriteAllBytes(path, Enumerable.Repeat((byte)i, 100_000).ToArray()));
        byte[] found = File.ReadAllBytes(path);
        Assert.Equal(100_000, found.Length);
        Assert.Single(found.Distinct());
        Assert.Equal([path], Directory.GetFiles(folder.Path));
    }

    [Fact]
    public void AMissingFolder_IsSaid()
    {
        using var folder = new TemporaryFolder();
        string path = Path.Combine(folder.Path, "none", "x");
        string message = Assert.Throws<DovetailException>(() => AtomicFile.WriteAllText(path, "")).Message;
        Assert.StartsWith($"Cannot write '{path}': Could not find a part of the path", message);
        Assert.DoesNotContain(".tmp", message); // the user gave no such name
        Assert.EndsWith("Check that the folder exists, may be written and has room.", message);
    }

    [Fact]
    public void AFolderOfThatName_IsSaid()
    {
        using var folder = new TemporaryFolder();
        Assert.Equal($"Cannot write '{folder.Path}': it is a folder. Give the name of a file.", Assert.Throws<DovetailException>(() => AtomicFile.WriteAllText(folder.Path, "")).Message);
        Assert.Empty(Directory.GetFileSystemEntries(folder.Path));
    }
}
