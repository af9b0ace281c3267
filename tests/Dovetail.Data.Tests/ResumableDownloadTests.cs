using System.Security.Cryptography;

namespace Dovetail.Data.Tests;

public sealed class ResumableDownloadTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly LoopbackServer _server = new();
    private readonly HttpClient _client = new() { Timeout = TimeSpan.FromSeconds(20) };
    private readonly byte[] _content = new byte[300_000];
    private readonly RemoteFile _file;
    private readonly ResumableDownload _download;

    public ResumableDownloadTests()
    {
        new Random(17).NextBytes(_content);
        _file = new RemoteFile(_server.Address, "file.gz", _content.Length, Convert.ToHexStringLower(SHA256.HashData(_content)));
        _download = new ResumableDownload(new ResumableTransfer(_client) { Pause = TimeSpan.FromMilliseconds(1) });
    }

    private string Part => _folder.File("file.gz.part");

    public void Dispose()
    {
        _client.Dispose();
        _server.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task A_file_arrives_whole_and_is_not_fetched_again()
    {
        var progress = new List<DownloadProgress>();
        _server.Then(LoopbackServer.Good(_content));
        await _download.FetchAsync(_file, _folder.Path, new Immediate(progress));
        Assert.Equal(_content, File.ReadAllBytes(_folder.File("file.gz")));
        Assert.False(File.Exists(Part));
        Assert.Equal(new DownloadProgress("file.gz", _content.Length, _content.Length), progress[^1]);
        await _download.FetchAsync(_file, _folder.Path);
        Assert.Single(_server.Ranges);
    }

    [Fact]
    public async Task A_broken_connection_is_resumed_where_it_stopped()
    {
        _server.Then(LoopbackServer.Good(_content, sent: 100_000));
        _server.Then(LoopbackServer.Good(_content, sent: 50_000));
        _server.Then(LoopbackServer.Good(_content));
        await _download.FetchAsync(_file, _folder.Path);
        Assert.Equal(_content, File.ReadAllBytes(_folder.File("file.gz")));
        Assert.Equal([null, 100_000, 150_000], _server.Ranges);
    }

    [Fact]
    public async Task What_an_earlier_run_left_is_asked_for_no_more()
    {
        File.WriteAllBytes(Part, _content[..123_456]);
        _server.Then(LoopbackServer.Good(_content));
        await _download.FetchAsync(_file, _folder.Path);
        Assert.Equal(_content, File.ReadAllBytes(_folder.File("file.gz")));
        Assert.Equal([123_456], _server.Ranges);
    }

    [Fact]
    public async Task A_server_that_ignores_ranges_starts_again()
    {
        File.WriteAllBytes(Part, new byte[1000]);
        _server.Then(_ => new LoopbackServer.Reply("200 OK", "", _content));
        await _download.FetchAsync(_file, _folder.Path);
        Assert.Equal(_content, File.ReadAllBytes(_folder.File("file.gz")));
    }

    [Fact]
    public async Task A_complete_part_needs_no_server_and_an_overlong_one_is_dropped()
    {
        File.WriteAllBytes(Part, _content);
        await _download.FetchAsync(_file, _folder.Path);
        Assert.Empty(_server.Ranges);
        File.Delete(_folder.File("file.gz"));
        File.WriteAllBytes(Part, new byte[_content.Length + 1]);
        _server.Then(LoopbackServer.Good(_content));
        await _download.FetchAsync(_file, _folder.Path);
        Assert.Equal([null], _server.Ranges);
    }

    [Fact]
    public async Task Wrong_content_is_refused_and_nothing_is_left()
    {
        var wrong = (byte[])_content.Clone();
        wrong[1000] ^= 1;
        _server.Then(LoopbackServer.Good(wrong));
        Assert.Contains("is not the file that was pinned: its SHA-256 is not", await Failure());
        Assert.Empty(Directory.EnumerateFiles(_folder.Path));
    }

    [Fact]
    public async Task More_bytes_than_pinned_are_refused()
    {
        _server.Then(LoopbackServer.Good([.. _content, 1]));
        Assert.Contains("sends more than the 300000 bytes that were pinned", await Failure());
    }

    [Fact]
    public async Task A_busy_server_is_tried_again()
    {
        _server.Then(_ => new LoopbackServer.Reply("503 Busy", "", []));
        _server.Then(LoopbackServer.Good(_content));
        await _download.FetchAsync(_file, _folder.Path);
        Assert.Equal(2, _server.Ranges.Count);
    }

    [Fact]
    public async Task A_failing_server_is_given_up_after_three_attempts()
    {
        for (int i = 0; i < 3; i++)
            _server.Then(_ => new LoopbackServer.Reply("500 Broken", "", []));
        Assert.Contains("cannot be fetched: the server answered 500 Broken", await Failure());
        Assert.Equal(3, _server.Ranges.Count);
    }

    [Fact]
    public async Task A_file_that_is_not_there_is_not_tried_again()
    {
        _server.Then(_ => new LoopbackServer.Reply("404 Not Found", "", []));
        Assert.Contains("the server answered 404 Not Found", await Failure());
        Assert.Single(_server.Ranges);
    }

    [Fact]
    public async Task A_cancelled_download_keeps_what_has_come()
    {
        using var cancel = new CancellationTokenSource();
        _server.Then(LoopbackServer.Good(_content, sent: 100_000));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() =>
            _download.FetchAsync(_file, _folder.Path, new Cancelling(cancel), cancel.Token));
        Assert.InRange(new FileInfo(Part).Length, 1, 100_000);
    }

    [Fact]
    public async Task Without_a_network_the_other_ways_are_named()
    {
        _server.Dispose();
        var files = new[] { _file };
        var none = new DatasetSource(DatasetSourceKind.EmbeddedSample, null);
        var error = await Assert.ThrowsAsync<DataException>(
            () => DatasetInstaller.GetAsync(none, files, _folder.Path, _download, null, default));
        Assert.Contains("install the Debian package dataset-fashion-mnist", error.Message);
        Assert.Contains("--data DIR", error.Message);
    }

    [Fact]
    public async Task An_installed_package_needs_no_download()
    {
        var package = new DatasetSource(DatasetSourceKind.SystemPackage, "/usr/share/datasets/fashion-mnist");
        Assert.Same(package, await DatasetInstaller.GetAsync(package, [_file], _folder.Path, _download, null, default));
        Assert.Empty(_server.Ranges);
    }

    [Fact]
    public async Task The_four_files_land_in_the_cache()
    {
        _server.Then(LoopbackServer.Good(_content));
        _server.Then(LoopbackServer.Good(_content));
        var files = new[] { _file, _file with { Name = "second.gz" } };
        var none = new DatasetSource(DatasetSourceKind.EmbeddedSample, null);
        DatasetSource source = await DatasetInstaller.GetAsync(none, files, _folder.File("deep/cache"), _download, null, default);
        Assert.Equal(new DatasetSource(DatasetSourceKind.UserCache, _folder.File("deep/cache")), source);
        Assert.Equal(2, Directory.EnumerateFiles(source.Folder!).Count());
    }

    private async Task<string> Failure() =>
        (await Assert.ThrowsAsync<DataException>(() => _download.FetchAsync(_file, _folder.Path))).Message;

    private sealed class Immediate(List<DownloadProgress> reports) : IProgress<DownloadProgress>
    {
        public void Report(DownloadProgress value) => reports.Add(value);
    }

    private sealed class Cancelling(CancellationTokenSource source) : IProgress<DownloadProgress>
    {
        public void Report(DownloadProgress value) => source.Cancel();
    }
}
