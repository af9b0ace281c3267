using Dovetail.Cli.Reports.Html;
using Dovetail.Cli.Reports.Results;

namespace Dovetail.Cli.Reports.Sections;

/// <summary>What a reader must know before the figures; left out where there is nothing.</summary>
internal static class NotesSection
{
    public static Section Render(CodesignResult result) => new("notes", "Notes", result.Notes.Count == 0
        ? Markup.Empty
        : Markup.Of($"""<ul class="notes">{result.Notes.Select(note => Markup.Of($"<li>{note}</li>"))}</ul>"""));
}
