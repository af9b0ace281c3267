using System.Text;
using System.Text.Json;
using Dovetail.Training.Native;

namespace Dovetail.Cli.Tests.Terminal;

/// <summary>Verbs on a machine without libtorch.</summary>
public sealed class LibTorchSetupTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public LibTorchSetupTests() => Configure();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("train", "--model", "zoo:mlp", "--epochs", "1")]
    [InlineData("codesign", "--epochs", "1")]
    [InlineData("bench", "zoo:mlp", "--pattern", "1:8", "--against", "libtorch")]
    public async Task A_verb_that_needs_it_says_what_it_looks_for_and_why_it_cannot_be_had(params string[] arguments)
    {
        CliProcess.Outcome outcome = await CliProcess.RunAsync(arguments, Bare(), _folder.Path);
        Assert.Equal(1, outcome.ExitCode);
        string cache = _folder.File("cache/libtorch");
        Assert.Contains($"Training needs libtorch {LibTorchPackage.Version}, which is not on this machine yet: ", outcome.Output);
        Assert.Contains(cache, outcome.Output.Replace("\n", "", StringComparison.Ordinal));
        string error = Assert.Single(outcome.ErrorLines);
        Assert.Contains("cannot be had: no NuGet source is enabled that may serve it", error);
        Assert.Contains(cache, error);
    }

    [Fact]
    public async Task Doctor_says_that_it_is_not_here_and_installs_nothing()
    {
        CliProcess.Outcome outcome = await CliProcess.RunAsync(["doctor", "--json", "-"], Bare(), _folder.Path);
        JsonElement torch = JsonDocument.Parse(outcome.Output).RootElement.GetProperty("findings").EnumerateArray()
            .Single(finding => finding.GetProperty("subject").GetString() == "libtorch");
        Assert.Equal("missing", torch.GetProperty("status").GetString());
        Assert.Contains("bench --against libtorch brings it", torch.GetProperty("advice").GetString());
        Assert.False(Directory.Exists(_folder.File("cache/libtorch")));
    }

    [Fact]
    public async Task A_folder_given_by_the_variable_serves()
    {
        Dictionary<string, string?> environment = Bare();
        environment[LibTorchLocator.Variable] = new LibTorchLocator().Find()!.Folder;
        CliProcess.Outcome outcome = await CliProcess.RunAsync(["doctor", "--json", "-"], environment, _folder.Path);
        JsonElement torch = JsonDocument.Parse(outcome.Output).RootElement.GetProperty("findings").EnumerateArray()
            .Single(finding => finding.GetProperty("subject").GetString() == "libtorch");
        Assert.Equal("good", torch.GetProperty("status").GetString());
        Assert.Contains(environment[LibTorchLocator.Variable]!, torch.GetProperty("found").GetString());
    }

    [Fact]
    public async Task A_feed_gets_the_credentials_of_a_credential_provider()
    {
        const string None = "Basic Og==";
        using var server = new LoopbackServer();
        byte[] given = Encoding.UTF8.GetBytes($"{CredentialProvider.User}:{CredentialProvider.Password}");
        string basic = "Basic " + Convert.ToBase64String(given);
        Ask();
        server.ThenIndex();
        Ask();
        server.Then(_ => new LoopbackServer.Reply("404 Not Found", "", []));
        Configure($"<add key=\"feed\" value=\"{new Uri(server.Address, "/index.json")}\" allowInsecureConnections=\"true\" />");
        Dictionary<string, string?> environment = Bare();
        environment["DOTNET_STARTUP_HOOKS"] = typeof(StartupHook).Assembly.Location;
        environment["NUGET_NETCORE_PLUGIN_PATHS"] = Path.Combine(AppContext.BaseDirectory, "dovetail.dll"); // the hook answers in its place
        environment["NUGET_PLUGINS_CACHE_PATH"] = _folder.File("plugins");
        environment["NUGET_HTTP_CACHE_PATH"] = _folder.File("http");
        environment[CredentialProvider.LogVariable] = _folder.File("asked.txt");
        CliProcess.Outcome outcome = await CliProcess.RunAsync(["train", "--model", "zoo:mlp", "--epochs", "1"], environment, _folder.Path);
        Assert.Contains("it has no such package", Assert.Single(outcome.ErrorLines));
        Assert.Equal([None, basic, None, basic], server.Authorizations.Where(authorization => authorization is not null));
        Assert.Equal(["once"], File.ReadAllLines(environment[CredentialProvider.LogVariable]!));

        void Ask() // without credentials, with the system's, which are empty, and again without, before it gets those of the provider
        {
            for (int request = 0; request < 3; request++)
                server.Then(_ => new LoopbackServer.Reply("401 Unauthorized", "WWW-Authenticate: Basic realm=\"feed\"\r\n", []));
        }
    }

    private void Configure(string sources = "") => File.WriteAllText(_folder.File("NuGet.Config"),
        $"""
        <configuration>
          <packageSources><clear />{sources}</packageSources>
          <fallbackPackageFolders><clear /></fallbackPackageFolders>
          <packageSourceMapping><clear /></packageSourceMapping>
        </configuration>
        """);

    private Dictionary<string, string?> Bare() => new()
    {
        ["DOVETAIL_CACHE"] = _folder.File("cache"),
        ["NUGET_PACKAGES"] = _folder.File("packages"),
        ["NUGET_FALLBACK_PACKAGES"] = null,
        [LibTorchLocator.Variable] = null,
    };
}
