using Dovetail.Cli.Reports.Html;
using Dovetail.Cli.Reports.Results;

namespace Dovetail.Cli.Reports.Sections;

/// <summary>What ran, on what, with which seed.</summary>
internal static class EnvironmentSection
{
    public static Section Render(CodesignResult result)
    {
        EnvironmentInfo machine = result.Environment;
        (string Name, string Value)[] facts =
        [
            ("Dovetail", $"{machine.Version}, commit {machine.Commit}"),
            ("CPU", $"{machine.Cpu}, {Words.Plural(machine.Cores, "core")}, {machine.Isa}"),
            ("System", machine.Os),
            (".NET", machine.Runtime),
            ("ONNX Runtime", machine.OnnxRuntime),
            ("libtorch", machine.Torch),
            ("Data", $"{result.Data.Name}: {Figures.Count(result.Data.TrainImages)} training, "
                + $"{Figures.Count(result.Data.ValidationImages)} validation, {Figures.Count(result.Data.TestImages)} test images; "
                + $"{result.Data.Source}"),
            ("Seed", result.Seed.ToString(System.Globalization.CultureInfo.InvariantCulture)),
            ("Whole run", $"{Figures.Seconds(machine.TotalSeconds)}, at most {Figures.Significant(machine.PeakMemoryMegabytes)} MB "
                + "of memory"),
        ];
        return new Section("environment", "Environment", Markup.Of(
            $"""
            <dl class="facts">{facts.Select(fact => Markup.Of($"<div><dt>{fact.Name}</dt><dd>{fact.Value}</dd></div>"))}
            <div><dt>Command</dt><dd><pre tabindex="0"><code>{machine.Command}</code></pre></dd></div></dl>
            """));
    }
}
