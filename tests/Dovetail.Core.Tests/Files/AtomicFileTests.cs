using Dovetail.Core.Files;

namespace Dovetail.Core.Tests.Files;

public sealed class AtomicFileTests
{
    [Fact]
    public void WhatCannotBeWritten_IsFoundBeforehand()
    {
        using var folder = new TemporaryFolder();
        string file = folder.File("x"), none = Path.Combine(folder.Path, "none"), inFile = Path.Combine(file, "y");
        AtomicFile.CheckWritable(file);
        Assert.Empty(Directory.GetFileSystemEntries(folder.Path));
        File.WriteAllText(file, "as it was");
        AtomicFile.CheckWritable(file);
        Assert.Equal("as it was", File.ReadAllText(file));
        Assert.Equal($"Cannot write '{folder.Path}': it is a folder. Give the name of a file.", Message(folder.Path));
        Assert.Equal($"Cannot write '{none}/x': there is no folder '{none}'. Make it, or give another name.", Message($"{none}/x"));
        Assert.Equal($"Cannot write '{inFile}': there is no folder '{file}'. Make it, or give another name.", Message(inFile));
        if (OperatingSystem.IsLinux())
            Assert.StartsWith("Cannot write '/proc/x': no file can be made in '/proc'.", Message("/proc/x"));
        Assert.Equal([file], Directory.GetFileSystemEntries(folder.Path));

        static string Message(string path) => Assert.Throws<DovetailException>(() => AtomicFile.CheckWritable(path)).Message;
    }

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
    public void ALinkStays_AndItsFileIsReplaced()
    {
        using var folder = new TemporaryFolder();
        string target = folder.File("target"), link = folder.File("link"), toNothing = folder.File("to-nothing");
        File.WriteAllText(target, "old");
        File.CreateSymbolicLink(link, target);
        File.CreateSymbolicLink(toNothing, folder.File("new"));
        AtomicFile.WriteAllText(link, "new");
        AtomicFile.WriteAllText(toNothing, "made");
        Assert.Equal(target, File.ResolveLinkTarget(link, returnFinalTarget: false)!.FullName);
        Assert.Equal(("new", "made"), (File.ReadAllText(target), File.ReadAllText(folder.File("new"))));
    }

    [Fact]
    public void ADeviceIsWrittenTo_NotReplaced()
    {
        if (!OperatingSystem.IsLinux())
            return;
        using var folder = new TemporaryFolder();
        string sink = folder.File("null"), full = folder.File("full"); // by links, so that a mistake replaces no device
        File.CreateSymbolicLink(sink, "/dev/null");
        File.CreateSymbolicLink(full, "/dev/full");
        Assert.True(SpecialFile.IsAt(sink) && !SpecialFile.IsAt(folder.Path) && !SpecialFile.IsAt(folder.File("none")));
        AtomicFile.CheckWritable(sink);
        AtomicFile.WriteAllText(sink, "gone");
        string message = Assert.Throws<DovetailException>(() => AtomicFile.WriteAllText(full, "does not fit")).Message;
        Assert.StartsWith($"Cannot write '{full}': ", message);
        Assert.EndsWith("It is a device or a pipe; give the name of a file, or '-' for standard output where there is one.", message);
        Assert.True(SpecialFile.IsAt("/dev/null") && SpecialFile.IsAt("/dev/full"));
        Assert.Equal([full, sink], Directory.GetFileSystemEntries(folder.Path).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void AFolderOfThatName_IsSaid()
    {
        using var folder = new TemporaryFolder();
        Assert.Equal($"Cannot write '{folder.Path}': it is a folder. Give the name of a file.", Assert.Throws<DovetailException>(
            () => AtomicFile.WriteAllText(folder.Path, "")).Message);
        Assert.Empty(Directory.GetFileSystemEntries(folder.Path));
    }
}
