namespace Dovetail.Rtl.Tests;

/// <summary>The shell stands for a tool here.</summary>
public sealed class ToolProcessTests
{
    private static readonly TimeSpan s_minute = TimeSpan.FromMinutes(1);

    [Fact]
    public void Missing_tool_says_how_to_install_it()
    {
        var error = Assert.Throws<ToolMissingException>(() => ToolProcess.Locate("no-such-tool", "DOVETAIL_NO_SUCH_TOOL", "Install it"));
        Assert.Equal("no-such-tool", error.Tool);
        Assert.Equal("no-such-tool was not found on the PATH. Install it (or name it by DOVETAIL_NO_SUCH_TOOL).", error.Message);
    }

    [Fact]
    public void Variable_that_names_no_file_is_an_error()
    {
        Environment.SetEnvironmentVariable("DOVETAIL_TEST_TOOL", "/no/such/file");
        var error = Assert.Throws<ToolMissingException>(() => ToolProcess.Locate("sh", "DOVETAIL_TEST_TOOL", ""));
        Assert.Contains("DOVETAIL_TEST_TOOL names '/no/such/file'", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Failure_shows_the_last_lines()
    {
        var error = Assert.Throws<RtlException>(() => Shell("for i in 1 2 3; do echo line $i; done; echo broken >&2; exit 3", s_minute));
        Assert.Contains("failed with exit code 3", error.Message, StringComparison.Ordinal);
        Assert.Contains("line 3", error.Message, StringComparison.Ordinal);
        Assert.Contains("broken", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Time_out_ends_the_tool()
    {
        var error = Assert.Throws<RtlException>(() => Shell("echo started; sleep 600", TimeSpan.FromSeconds(1)));
        Assert.Contains("ran longer than 1 s", error.Message, StringComparison.Ordinal);
        Assert.Contains("started", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Cancellation_ends_the_tool()
    {
        using var source = new CancellationTokenSource(TimeSpan.FromMilliseconds(300));
        Assert.ThrowsAny<OperationCanceledException>(() => Shell("sleep 600", s_minute, source.Token));
    }

    private static string Shell(string script, TimeSpan timeOut, CancellationToken cancellation = default) =>
        ToolProcess.Run("/bin/sh", ["-c", script], Path.GetTempPath(), timeOut, cancellation);
}
