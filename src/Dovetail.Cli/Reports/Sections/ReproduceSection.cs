using Dovetail.Cli.Reports.Html;
using Dovetail.Cli.Reports.Results;

namespace Dovetail.Cli.Reports.Sections;

/// <summary>One command a table; a click selects a whole command.</summary>
internal static class ReproduceSection
{
    public static Section Render(CodesignResult result) => new("reproduce", "Reproduce", result.Commands.Count == 0
        ? Markup.Empty
        : Markup.Of(
            $"""
            <p>What to type to see each table again; a click on a command selects all of it.</p>
            <dl class="commands">{result.Commands.Select(command => Markup.Of($"""<div><dt>{command.Table}</dt><dd><pre tabindex="0"><code>{command.Command}</code></pre></dd></div>"""))}</dl>
            """));
}
