using Dovetail.Cli.Reports.Html;

namespace Dovetail.Cli.Reports.Sections;

/// <summary>One command a table; a click selects a whole command.</summary>
internal static class ReproduceSection
{
    public static Section Render(CodesignResult result) => new("reproduce", "Reproduce", result.Commands.Count == 0
        ? Markup.Empty
        : Markup.Of(
            $"""
            <p>Each table again, from the output folder's files; a click on a command selects all of it.</p>
            <dl class="commands">{result.Commands.Select(command => Markup.Of($"""<div><dt>{command.Table}</dt><dd><pre tabindex="0"><code>{command.Command}</code></pre></dd></div>"""))}</dl>
            """));
}
