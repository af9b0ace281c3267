using Dovetail.Core.Files;

namespace Dovetail.Core.Tests.Files;

public sealed class AppendedTableTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Append_WritesTheHeaderOnceAndRowsInOrder()
    {
        string path = _folder.File("t.csv");
        AppendedTable.Append(path, "a,b", "1,2");
        AppendedTable.Append(path, "a,b", "3,é");
        Assert.Equal("a,b\n1,2\n3,é\n", File.ReadAllText(path));
    }

    [Theory]
    [InlineData("", "a,b\n1,2\n")]
    [InlineData("a,b\n", "a,b\n1,2\n")]
    [InlineData("a,b", "a,b\n1,2\n")]
    [InlineData("a,b\n0,", "a,b\n0,\n1,2\n")] // a row that was cut off stays a line of its own
    [InlineData("a,b\r\n0,0\r\n", "a,b\r\n0,0\r\n1,2\n")]
    [InlineData("\uFEFFa,b\n", "\uFEFFa,b\n1,2\n")]
    public void Append_GoesOnFromWhatIsThere(string before, string after)
    {
        string path = _folder.File("t.csv");
        File.WriteAllText(path, before);
        AppendedTable.CheckWritable(path, "a,b");
        AppendedTable.Append(path, "a,b", "1,2");
        Assert.Equal(System.Text.Encoding.UTF8.GetBytes(after), File.ReadAllBytes(path));
    }

    [Fact]
    public void Append_FromManyThreads_LosesNoRow()
    {
        string path = _folder.File("t.csv");
        string[] rows = [.. Enumerable.Range(0, 200).Select(i => $"{i},{new string('x', i)}")];
        Parallel.ForEach(rows, new ParallelOptions { MaxDegreeOfParallelism = 8 }, row => AppendedTable.Append(path, "a,b", row));
        string[] lines = File.ReadAllLines(path);
        Assert.Equal("a,b", lines[0]);
        Assert.Equal(rows.Order(), lines[1..].Order());
    }

    [Fact]
    public async Task Append_WhereAnotherHoldsTheFile_SaysSoWithTheRowOrWaits()
    {
        string path = _folder.File("t.csv");
        Task waiting;
        using (new FileStream(path, FileMode.Create, FileAccess.ReadWrite, FileShare.None))
        {
            string message = Assert.Throws<DovetailException>(() => AppendedTable.Append(path, "a,b", "1,2", TimeSpan.Zero)).Message;
            Assert.Contains($"Cannot write '{path}'", message);
            Assert.EndsWith("The row that it lacks: 1,2", message);
            waiting = Task.Run(() => AppendedTable.Append(path, "a,b", "3,4"), TestContext.Current.CancellationToken);
        }

        await waiting;
        Assert.Equal("a,b\n3,4\n", await File.ReadAllTextAsync(path, TestContext.Current.CancellationToken));
    }

    [Fact]
    public void AnotherTable_IsRefusedAndStays()
    {
        string path = _folder.File("t.csv");
        File.WriteAllText(path, "a,c\n1,2\n");
        string expected = $"'{path}' is another table: its first line is 'a,c', expected 'a,b'. Give another name";
        Assert.StartsWith(expected, Assert.Throws<DovetailException>(() => AppendedTable.CheckWritable(path, "a,b")).Message);
        Assert.StartsWith(expected, Assert.Throws<DovetailException>(() => AppendedTable.Append(path, "a,b", "3,4")).Message);
        Assert.Equal("a,c\n1,2\n", File.ReadAllText(path));
    }

    [Fact]
    public void CheckWritable_MakesNoFileAndFindsWhatAppendWouldFind()
    {
        AppendedTable.CheckWritable(_folder.File("new.csv"), "a,b");
        Assert.Empty(Directory.EnumerateFileSystemEntries(_folder.Path));
        string Refusal(Action write) => Assert.Throws<DovetailException>(write).Message;
        Assert.Contains("there is no folder", Refusal(() => AppendedTable.CheckWritable(_folder.File("no/t.csv"), "a,b")));
        Assert.Contains("Cannot write", Refusal(() => AppendedTable.CheckWritable(_folder.Path, "a,b")));
        Assert.Contains("Cannot write", Refusal(() => AppendedTable.Append(_folder.Path, "a,b", "1,2")));
    }

    [Fact]
    public void Device_is_written_to()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Devices are known on Linux.");
        AppendedTable.CheckWritable("/dev/null", "a,b");
        AppendedTable.Append("/dev/null", "a,b", "1,2");
        Assert.True(File.Exists("/dev/null"));
        Assert.False(new FileInfo("/dev/null").Attributes.HasFlag(FileAttributes.Directory));
    }

    [Fact]
    public void Link_stays()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Links need rights on Windows.");
        File.CreateSymbolicLink(_folder.File("link.csv"), _folder.File("t.csv"));
        AppendedTable.Append(_folder.File("link.csv"), "a,b", "1,2");
        Assert.Equal("a,b\n1,2\n", File.ReadAllText(_folder.File("t.csv")));
        Assert.NotNull(new FileInfo(_folder.File("link.csv")).LinkTarget);
    }
}
