namespace Dovetail.Cli.Reports.Html;

/// <summary>A column: "number" aligns right, "chart" takes the room that is left, "" is text.</summary>
internal sealed record Column(string Title, string Kind = "");

/// <summary>A captioned table whose first cell of each row is its header; it scrolls sideways where the page is narrow.</summary>
internal sealed class Table(string caption, params Column[] columns)
{
    private readonly List<Markup> _rows = [];

    public Table Row(params ReadOnlySpan<Markup> cells) => RowOf("", cells);

    /// <param name="kind">A class for the row, e.g. "muted" or "total".</param>
    public Table RowOf(string kind, params ReadOnlySpan<Markup> cells)
    {
        var markup = new List<Markup> { Markup.Of($"""<th scope="row">{cells[0]}</th>""") };
        for (int i = 1; i < cells.Length; i++)
            markup.Add(Markup.Of($"""<td class="{columns[i].Kind}">{cells[i]}</td>"""));
        _rows.Add(Markup.Of($"""<tr class="{kind}">{markup}</tr>"""));
        return this;
    }

    public Markup Render() => Markup.Of(
        $"""
        <div class="scroll" tabindex="0" role="group" aria-label="{caption}"><table>
        <caption>{caption}</caption>
        <thead><tr>{columns.Select(column => Head(column))}</tr></thead>
        <tbody>{_rows}</tbody>
        </table></div>
        """);

    // A column of bars needs no name: the numbers beside it have one.
    private static Markup Head(Column column) => column is { Kind: "chart", Title: "" }
        ? Markup.Of($"""<td class="chart"></td>""")
        : Markup.Of($"""<th scope="col" class="{column.Kind}">{column.Title}</th>""");
}
