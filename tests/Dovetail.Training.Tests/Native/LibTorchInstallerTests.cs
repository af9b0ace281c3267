using Dovetail.Training.Native;

namespace Dovetail.Training.Tests.Native;

public sealed class LibTorchInstallerTests : IDisposable
{
    private readonly FakeLibTorch _fake = new();
    private readonly LoopbackServer _server = new();

    public void Dispose()
    {
        _server.Dispose();
        _fake.Dispose();
    }

    [Fact]
    public async Task It_comes_from_a_folder_of_packages_and_is_not_fetched_again()
    {
        string feed = _fake.FolderFeed("feed", _fake.Bytes);
        _fake.Configure("", ("folder", feed));
        LibTorchLocation location = await _fake.Installer().InstallAsync();
        Assert.Equal(LibTorchOrigin.Cache, location.Origin);
        _fake.CheckInstalled(location);
        Assert.False(File.Exists(_fake.File("outside.so")));
        Directory.Delete(feed, recursive: true);
        Assert.Equal(location, await _fake.Installer().InstallAsync());
    }

    [Fact]
    public async Task It_comes_from_a_feed_with_progress()
    {
        _fake.Configure("", ("feed", FakeLibTorch.HttpFeed(_server)));
        _server.Then(LoopbackServer.Good(_fake.Bytes));
        var steps = new List<LibTorchProgress>();
        _fake.CheckInstalled(await _fake.Installer().InstallAsync(new Immediate(steps.Add)));
        Assert.Equal(
            [LibTorchStage.Downloading, LibTorchStage.Checking, LibTorchStage.Unpacking], steps.Select(step => step.Stage).Distinct());
        Assert.Contains(new LibTorchProgress(LibTorchStage.Downloading, "feed", _fake.Bytes.Length, _fake.Bytes.Length), steps);
        Assert.Equal(steps[^1].TotalBytes, steps[^1].Bytes);
    }

    [Fact]
    public async Task A_broken_connection_is_resumed_where_it_stopped()
    {
        _fake.Configure("", ("feed", FakeLibTorch.HttpFeed(_server)));
        _server.Then(LoopbackServer.Good(_fake.Bytes, sent: 100_000));
        _server.Then(LoopbackServer.Good(_fake.Bytes));
        _fake.CheckInstalled(await _fake.Installer().InstallAsync());
        Assert.Equal([null, null, 100_000], _server.Ranges);
    }

    [Fact]
    public async Task What_an_interrupted_download_left_is_asked_for_no_more()
    {
        using var cancel = new CancellationTokenSource();
        _fake.Configure("", ("feed", FakeLibTorch.HttpFeed(_server)));
        _server.Then(LoopbackServer.Good(_fake.Bytes, sent: 100_000));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => _fake.Installer().InstallAsync(
            new Immediate(step =>
            {
                if (step.Bytes > 0)
                    cancel.Cancel();
            }), cancel.Token));
        Assert.Null(_fake.Locator().Find());
        long kept = new FileInfo(_fake.Part).Length;
        Assert.InRange(kept, 1, 100_000);
        _fake.Configure("", ("a folder that has it not", _fake.FolderFeed("empty")), ("feed", FakeLibTorch.HttpFeed(_server)));
        _server.Then(LoopbackServer.Good(_fake.Bytes));
        _fake.CheckInstalled(await _fake.Installer().InstallAsync());
        Assert.Equal(kept, _server.Ranges.Last());
    }

    [Fact]
    public async Task A_part_of_another_file_is_fetched_once_more_from_its_start()
    {
        Leave(new byte[1000]);
        _fake.Configure("", ("feed", FakeLibTorch.HttpFeed(_server)));
        _server.Then(LoopbackServer.Good(_fake.Bytes));
        _server.Then(LoopbackServer.Good(_fake.Bytes));
        _fake.CheckInstalled(await _fake.Installer().InstallAsync());
        Assert.Equal([null, 1000, null], _server.Ranges);
    }

    [Fact]
    public async Task A_complete_part_is_not_sent_again()
    {
        Leave(_fake.Bytes);
        _fake.Configure("", ("feed", FakeLibTorch.HttpFeed(_server)));
        _server.Then(_ => new LoopbackServer.Reply("416 Range Not Satisfiable", $"Content-Range: bytes */{_fake.Bytes.Length}\r\n", []));
        _fake.CheckInstalled(await _fake.Installer().InstallAsync());
    }

    [Fact]
    public async Task Other_content_is_refused_and_the_next_source_is_asked()
    {
        byte[] other = FakeLibTorch.Pack(new byte[300_000]);
        _fake.Configure("", ("wrong", _fake.FolderFeed("wrong", other)), ("broken", _fake.FolderFeed("broken", new byte[5000])));
        string message = await FailureAsync();
        Assert.Contains(
            $"wrong ({_fake.File("wrong")}): its package has other content than the pinned hash {_fake.Package.ContentHash}", message);
        Assert.Contains($"broken ({_fake.File("broken")}): it holds a file that is no package", message);
        Assert.False(File.Exists(_fake.Part));
        _fake.Configure("", ("wrong", _fake.FolderFeed("wrong", other)), ("right", _fake.FolderFeed("right", _fake.Bytes)));
        _fake.CheckInstalled(await _fake.Installer().InstallAsync());
    }

    [Fact]
    public async Task Where_it_cannot_be_had_one_message_says_what_was_looked_for_where_and_what_to_do()
    {
        using var gone = new LoopbackServer();
        string unreachable = FakeLibTorch.HttpFeed(gone);
        gone.Dispose();
        _fake.Configure("", ("empty", _fake.FolderFeed("empty")), ("without", FakeLibTorch.HttpFeed(_server)), ("gone", unreachable));
        _server.Then(_ => new LoopbackServer.Reply("404 Not Found", "", []));
        string message = await FailureAsync();
        Assert.DoesNotContain('\n', message);
        foreach (string part in (string[])
            [
                "libtorch 2.10.0 (NuGet package libtorch-cpu-test-x64", "which training needs, cannot be had",
                $"empty ({_fake.File("empty")}): it has no such package", "without (http://127.0.0.1", "): it has no such package",
                $"gone ({unreachable}): it cannot be reached: Connection refused", _fake.Locator().CacheFolder!, _fake.Restored,
                "dotnet package download libtorch-cpu-test-x64@2.10.0", "DOVETAIL_LIBTORCH",
            ])
            Assert.Contains(part, message);
    }

    [Fact]
    public async Task Without_a_source_the_message_says_so()
    {
        Assert.Contains("no NuGet source is enabled that may serve it", await FailureAsync());
        string feed = _fake.FolderFeed("feed", _fake.Bytes);
        _fake.Configure(
            "<packageSourceMapping><packageSource key=\"mapped\"><package pattern=\"Other.*\" /></packageSource></packageSourceMapping>",
            ("mapped", feed));
        Assert.Contains("no NuGet source is enabled that may serve it", await FailureAsync());
        _fake.Configure("<disabledPackageSources><add key=\"off\" value=\"true\" /></disabledPackageSources>", ("off", feed));
        Assert.Contains("no NuGet source is enabled that may serve it", await FailureAsync());
        File.WriteAllText(_fake.File("NuGet.Config"), "<configuration>");
        Assert.Contains("NuGet's configuration cannot be read: ", await FailureAsync());
    }

    [Fact]
    public async Task A_feed_gets_the_credentials_of_the_configuration()
    {
        static LoopbackServer.Reply Ask(long? range) => new("401 Unauthorized", "WWW-Authenticate: Basic realm=\"feed\"\r\n", []);
        _server.Then(Ask);
        string address = FakeLibTorch.HttpFeed(_server);
        _server.Then(Ask);
        _server.Then(LoopbackServer.Good(_fake.Bytes));
        _fake.Configure(
            """
            <packageSourceCredentials>
              <feed><add key="Username" value="me" /><add key="ClearTextPassword" value="secret" /></feed>
            </packageSourceCredentials>
            """,
            ("feed", address));
        _fake.CheckInstalled(await _fake.Installer().InstallAsync());
        string basic = "Basic " + Convert.ToBase64String("me:secret"u8);
        Assert.Equal(basic, _server.Authorizations.ElementAt(1));
        Assert.Equal(basic, _server.Authorizations.Last());
    }

    [Fact]
    public async Task A_feed_that_wants_other_credentials_is_named()
    {
        string address = FakeLibTorch.HttpFeed(_server);
        for (int i = 0; i < 6; i++)
            _server.Then(_ => new LoopbackServer.Reply("401 Unauthorized", "WWW-Authenticate: Basic realm=\"feed\"\r\n", []));
        _fake.Configure("", ("feed", address));
        Assert.Contains($"feed ({address}): it asks for credentials (401)", await FailureAsync());
    }

    [Fact]
    public async Task Two_at_once_fetch_it_once()
    {
        _fake.Configure("", ("feed", FakeLibTorch.HttpFeed(_server)));
        var waiting = new TaskCompletionSource();
        _server.Then(range =>
        {
            waiting.Task.Wait(TimeSpan.FromSeconds(60)); // the download goes on when the second waits
            return LoopbackServer.Good(_fake.Bytes)(range);
        });
        Task<LibTorchLocation> first = Task.Run(() => _fake.Installer().InstallAsync());
        while (_server.Ranges.Count < 2 && !first.IsCompleted)
            await Task.Delay(10);
        var steps = new List<LibTorchProgress>();
        Task<LibTorchLocation> second = _fake.Installer().InstallAsync(new Immediate(step =>
        {
            steps.Add(step);
            waiting.TrySetResult();
        }));
        _fake.CheckInstalled(await first);
        Assert.Equal(await first, await second);
        Assert.Equal([LibTorchStage.Waiting], steps.Select(step => step.Stage));
    }

    [Fact]
    public async Task An_unpacking_that_was_interrupted_needs_no_second_download()
    {
        using var cancel = new CancellationTokenSource();
        _fake.Configure("", ("folder", _fake.FolderFeed("feed", _fake.Bytes)));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => _fake.Installer().InstallAsync(
            new Immediate(step =>
            {
                if (step.Stage == LibTorchStage.Unpacking)
                    cancel.Cancel();
            }), cancel.Token));
        Assert.Null(_fake.Locator().Find());
        Directory.CreateDirectory(_fake.Locator().CacheFolder + ".tmp/left by a process that was killed");
        _fake.Configure("", ("feed", FakeLibTorch.HttpFeed(_server)));
        _server.Then(range => new LoopbackServer.Reply("416 Range Not Satisfiable", $"Content-Range: bytes */{range}\r\n", []));
        _fake.CheckInstalled(await _fake.Installer().InstallAsync());
    }

    [Fact]
    public async Task A_disk_without_room_is_found_before_the_download()
    {
        using var fake = new FakeLibTorch();
        var package = fake.Package with { InstalledBytes = 1L << 60 };
        var error = await Assert.ThrowsAsync<NativeLibraryException>(() => new LibTorchInstaller(package, fake.Locator()).InstallAsync());
        Assert.Contains("of free space, and libtorch 2.10.0 needs", error.Message);
        Assert.Contains("DOVETAIL_CACHE", error.Message);
    }

    [Fact]
    public async Task A_cache_that_cannot_be_written_is_named()
    {
        _fake.Configure("", ("folder", _fake.FolderFeed("feed", _fake.Bytes)));
        File.WriteAllText(_fake.Cache, "a file where the folder should be");
        Assert.Contains($"{_fake.Locator().CacheFolder} cannot be written: ", await FailureAsync());
    }

    private void Leave(byte[] part)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(_fake.Part)!);
        File.WriteAllBytes(_fake.Part, part);
    }

    private async Task<string> FailureAsync() =>
        (await Assert.ThrowsAsync<NativeLibraryException>(() => _fake.Installer().InstallAsync())).Message;

    private sealed class Immediate(Action<LibTorchProgress> report) : IProgress<LibTorchProgress>
    {
        public void Report(LibTorchProgress value) => report(value);
    }
}
