using System.Text.RegularExpressions;
using System.Xml.Linq;
using Dovetail.Cli.Reports;
using Dovetail.Cli.Reports.Results;

namespace Dovetail.Cli.Tests.Reports;

public sealed class HtmlReportTests
{
    private const string Attack = "<script>alert(\"x\")</script>'&amp;\" onload=\u0001";

    public static TheoryData<string> Names => ["full", "skipped", "untrained", "interrupted", "one-layer", "bare", "hostile"];

    [Theory]
    [MemberData(nameof(Names))]
    public void Page_is_well_formed_and_refers_to_nothing_outside(string name)
    {
        XElement page = Page(Result(name));
        foreach (XAttribute attribute in page.DescendantsAndSelf().Attributes())
        {
            if (attribute.Name.LocalName is "href" or "src" or "xlink:href" or "action" or "srcset")
                Assert.True(
                    attribute.Value.StartsWith('#') || attribute.Value.StartsWith("data:image/png;base64,", StringComparison.Ordinal),
                    attribute.ToString());
            Assert.DoesNotContain("url(", attribute.Value, StringComparison.OrdinalIgnoreCase);
            Assert.False(attribute.Name.LocalName.StartsWith("on", StringComparison.OrdinalIgnoreCase), attribute.ToString());
        }

        Assert.DoesNotContain(
            page.Descendants(), element => element.Name.LocalName is "script" or "link" or "iframe" or "object" or "base");
        string style = Assert.Single(page.Descendants("style")).Value;
        Assert.DoesNotMatch(@"url\(|@import", style);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Ids_are_unique_and_every_reference_has_its_target(string name)
    {
        XElement page = Page(Result(name));
        string[] ids = [.. page.Descendants().Attributes("id").Select(id => id.Value)];
        Assert.Equal(ids.Length, ids.Distinct().Count());
        foreach (XAttribute reference in page.Descendants().Attributes()
            .Where(a => a.Name.LocalName is "aria-labelledby" or "aria-describedby"))
            Assert.Contains(reference.Value, ids);
        foreach (XAttribute link in page.Descendants("a").Attributes("href"))
            Assert.Contains(link.Value[1..], ids);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Page_is_accessible(string name)
    {
        XElement page = Page(Result(name));
        Assert.Equal("en", page.Attribute("lang")?.Value);
        Assert.Single(page.Descendants("h1"));
        Assert.All(page.Descendants("section"), section => Assert.NotEmpty(section.Elements("h2")));
        Assert.All(page.Descendants("img"), image => Assert.False(string.IsNullOrWhiteSpace(image.Attribute("alt")?.Value)));
        Assert.All(page.Descendants("svg"), svg =>
            Assert.True(svg.Attribute("aria-hidden")?.Value == "true" || svg.Attribute("role")?.Value == "img"
                && svg.Attribute("aria-label")?.Value.Length > 0));
        Assert.All(page.Descendants("table"), table =>
        {
            Assert.False(string.IsNullOrWhiteSpace(table.Element("caption")?.Value));
            int columns = table.Descendants("thead").Single().Element("tr")!.Elements().Count();
            Assert.All(table.Descendants("tbody").Single().Elements("tr"), row => Assert.Equal(columns, row.Elements().Count()));
        });
        Assert.All(page.Descendants("th"), header => Assert.Contains(header.Attribute("scope")?.Value, (string?[])["row", "col"]));
    }

    [Fact]
    public void Style_reaches_the_page_unescaped()
    {
        using Stream stream = typeof(HtmlReport).Assembly.GetManifestResourceStream("report.css")!;
        string css = new StreamReader(stream).ReadToEnd();
        Assert.Contains(css, HtmlReport.Render(ResultFixture.Full()), StringComparison.Ordinal);
    }

    [Fact]
    public void Hostile_text_stays_text()
    {
        string html = HtmlReport.Render(Hostile());
        Assert.DoesNotContain("<script", html, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain('\u0001', html);
        Assert.Contains(
            "&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;&#39;&amp;amp;&quot; onload=\uFFFD", html, StringComparison.Ordinal);
    }

    [Fact]
    public void Same_result_gives_the_same_page() =>
        Assert.Equal(HtmlReport.Render(ResultFixture.Full()), HtmlReport.Render(ResultFixture.Full()));

    [Fact]
    public void Headline_tells_the_key_figures()
    {
        string lead = Text(Page(ResultFixture.Full()).Descendants("header").Single());
        foreach (string figure
            in (string[])["90.93 %", "91.87 %", "1 of every 16 weights", "93.75 %", "11.4× smaller", "5.13× faster", "16×16"])
            Assert.Contains(figure, lead, StringComparison.Ordinal);
    }

    [Fact]
    public void Slower_network_is_called_slower()
    {
        CodesignResult full = ResultFixture.Full();
        string lead = Text(Page(full with { Speed = full.Speed with { NetworkRatio = 0.5 } }).Descendants("header").Single());
        Assert.Contains("2.00× slower", lead, StringComparison.Ordinal);
        Assert.DoesNotContain("× faster", lead, StringComparison.Ordinal);
    }

    [Fact]
    public void Layer_slower_than_dense_is_marked_in_its_row()
    {
        XElement speed = SectionOf(ResultFixture.Full(), "speed");
        XElement row = Assert.Single(speed.Descendants("tr"), row => row.Attribute("class")?.Value == "slow");
        Assert.StartsWith("fc1", Text(row), StringComparison.Ordinal);
        Assert.Contains("slower", Text(row), StringComparison.Ordinal);
        Assert.Contains("One layer is slower packed than dense.", Text(speed), StringComparison.Ordinal);
    }

    [Fact]
    public void Dense_layers_give_their_reasons()
    {
        foreach (string section in (string[])["speed", "model"])
        {
            string text = Text(SectionOf(ResultFixture.Full(), section));
            Assert.Contains("1 input channel is fewer than the group, 16", text, StringComparison.Ordinal);
            Assert.Contains("measured slower packed (0.6×) than dense", text, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Skipped_rtl_says_what_to_do()
    {
        string text = Text(SectionOf(ResultFixture.RtlSkipped(), "rtl"));
        Assert.Contains("skipped", text, StringComparison.Ordinal);
        Assert.Contains("sudo apt-get install verilator", text, StringComparison.Ordinal);
        Assert.DoesNotContain("as the simulator says", text, StringComparison.Ordinal);
        Assert.Contains("RTL: skipped", Text(Page(ResultFixture.RtlSkipped()).Descendants("header").Single()), StringComparison.Ordinal);
    }

    [Fact]
    public void Without_history_there_are_no_curves()
    {
        XElement training = SectionOf(ResultFixture.Untrained(), "training");
        Assert.Empty(training.Descendants("svg"));
        Assert.Contains("No epoch was recorded", Text(training), StringComparison.Ordinal);
    }

    [Fact]
    public void Interrupted_training_is_told()
    {
        XElement training = SectionOf(ResultFixture.Interrupted(), "training");
        Assert.Contains("interrupted after 1 of 6 epochs", Text(training), StringComparison.Ordinal);
        Assert.Equal(4, training.Descendants("svg").Count());
        Assert.DoesNotContain("NaN", training.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Every_list_of_the_result_is_shown_whole()
    {
        CodesignResult full = ResultFixture.Full();
        string text = Text(Page(full));
        foreach (string name in full.Equality.Select(check => check.Name)
            .Concat(full.Model.Layers.Select(layer => layer.Name)).Concat(full.Files.Select(file => file.Name))
            .Concat(full.Commands.Select(command => command.Command)).Concat(full.Notes).Concat(full.Rtl.Files)
            .Append(full.Environment.Command).Append(full.Environment.Commit).Append(full.Accelerator.EnergySource)
                .Append(full.Accelerator.AreaMethod))
            Assert.Contains(name, text, StringComparison.Ordinal);
        Assert.Equal(full.Speed.Layers.Count, SectionOf(full, "speed").Descendants("table").ElementAt(1).Descendants("tr").Count() - 1);
    }

    [Fact]
    public void Sections_without_content_are_left_out()
    {
        string[] ids = [.. Page(ResultFixture.Bare()).Descendants("section").Select(section => section.Attribute("id")!.Value)];
        Assert.DoesNotContain("notes", ids);
        Assert.DoesNotContain("mask", ids);
        Assert.DoesNotContain("reproduce", ids);
        Assert.Contains("accuracy", ids);
    }

    internal static CodesignResult Hostile()
    {
        CodesignResult full = ResultFixture.Full();
        return full with
        {
            Pattern = Attack,
            Environment = full.Environment with
            {
                Command = Attack,
                Cpu = Attack,
                Commit = Attack,
                Isa = Attack,
                Os = Attack,
                OnnxRuntime = Attack,
                Torch = Attack,
                Runtime = Attack,
                Version = Attack
            },
            Data = full.Data with { Name = Attack, Source = Attack },
            Model = full.Model with
            {
                Name = Attack,
                Layers = [
                    .. full.Model.Layers.Select(layer => layer with { Name = Attack, Op = Attack, Shape = Attack, Reason = Attack })]
            },
            Training = full.Training with { Dense = full.Training.Dense with { Method = Attack } },
            Equality = [.. full.Equality.Select(check => check with { Name = Attack, Status = Attack, Detail = Attack })],
            OnnxRuntimeInt8 = [.. full.OnnxRuntimeInt8.Select(network => network with { Network = Attack })],
            Speed = full.Speed with
            {
                Layers = [.. full.Speed.Layers.Select(
                    layer => layer with { Name = Attack, Op = Attack, Pattern = Attack, Kernel = Attack, Dtype = Attack })]
            },
            Accelerator = full.Accelerator with
            {
                Dataflow = Attack,
                AreaMethod = Attack,
                EnergySource = Attack,
                Layers = [.. full.Accelerator.Layers.Select(layer => layer with { Name = Attack })]
            },
            Rtl = full.Rtl with { Status = Attack, Reason = Attack, Layer = Attack, Files = [Attack] },
            Mask = full.Mask with { Layer = Attack, Pattern = Attack },
            Files = [new OutputFile(Attack, 1, Attack)],
            Commands = [new ReproduceCommand(Attack, Attack)],
            Notes = [Attack],
        };
    }

    [Fact]
    public void Inexact_integers_of_ONNX_Runtime_are_told()
    {
        CodesignResult full = ResultFixture.Full();
        XElement section = SectionOf(full, "agreement");
        Assert.Contains("not exact on this CPU", Text(section), StringComparison.Ordinal);
        string[] rows = [.. section.Descendants("tr").Select(row => string.Join(" | ", row.Elements().Select(Text)))];
        Assert.Contains("dense int8 | 8 | 1,204,224 | 3.12 % | 17 steps", rows);
        Assert.Contains("sparse int8 | 8 | 1,204,224 | 0.04 % | 1 step", rows);
        string Told(params OnnxRuntimeInt8Info[] networks) => Text(SectionOf(full with { OnnxRuntimeInt8 = networks }, "agreement"));
        Assert.Contains(
            "exact on this CPU too", Told(full.OnnxRuntimeInt8[0] with { DifferingShare = 0, MaxDifferenceSteps = 0 }),
            StringComparison.Ordinal);
        Assert.DoesNotContain("own int8 layers", Told(), StringComparison.Ordinal);
    }

    private static CodesignResult Result(string name) => name switch
    {
        "full" => ResultFixture.Full(),
        "skipped" => ResultFixture.RtlSkipped(),
        "untrained" => ResultFixture.Untrained(),
        "interrupted" => ResultFixture.Interrupted(),
        "one-layer" => ResultFixture.OneLayer(),
        "hostile" => Hostile(),
        _ => ResultFixture.Bare(),
    };

    private static XElement Page(CodesignResult result) => XDocument.Parse(HtmlReport.Render(result)).Root!;

    private static XElement SectionOf(CodesignResult result, string id) =>
        Page(result).Descendants("section").Single(section => section.Attribute("id")?.Value == id);

    private static string Text(XElement element) => Regex.Replace(element.Value, @"\s+", " ").Trim();
}
