using Dovetail.Cli.Reports;
using Dovetail.Cli.Reports.Results;

namespace Dovetail.Cli.Tests.Reports;

/// <summary>
/// The fixture's pages always render; with DOVETAIL_WRITE_REPORT set (to a folder, or to 1 for the test output folder)
/// they are also written, to be looked at.
/// </summary>
public sealed class ReportPictureTests
{
    [Theory]
    [InlineData("full")]
    [InlineData("skipped")]
    [InlineData("untrained")]
    [InlineData("interrupted")]
    [InlineData("one-layer")]
    [InlineData("bare")]
    [InlineData("strided")]
    [InlineData("hostile")]
    public void Page_renders(string name)
    {
        CodesignResult result = name switch
        {
            "full" => ResultFixture.Full(),
            "skipped" => ResultFixture.RtlSkipped(),
            "untrained" => ResultFixture.Untrained(),
            "interrupted" => ResultFixture.Interrupted(),
            "one-layer" => ResultFixture.OneLayer(),
            "strided" => ResultFixture.Full("4:64@strided", epochs: 30),
            "hostile" => HtmlReportTests.Hostile(),
            _ => ResultFixture.Bare(),
        };
        string html = HtmlReport.Render(result);
        Assert.EndsWith("</html>\n", html, StringComparison.Ordinal);
        if (Environment.GetEnvironmentVariable("DOVETAIL_WRITE_REPORT") is not { Length: > 0 } folder)
            return;
        folder = Directory.Exists(folder) ? folder : AppContext.BaseDirectory;
        HtmlReport.Write(Path.Combine(folder, $"report-{name}.html"), result);
    }
}
