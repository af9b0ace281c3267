namespace Dovetail.Cli.Reports.Html;

/// <summary>A part of the page: a heading that links can reach, then its body. An empty body leaves the part out.</summary>
internal sealed record Section(string Id, string Title, Markup Body)
{
    public Markup Render() => Markup.Of(
        $"""
        <section id="{Id}" aria-labelledby="{Id}-title">
        <h2 id="{Id}-title">{Title}</h2>
        {Body}
        </section>
        """);
}
