using System.Reflection;
using Dovetail.Cli.Reports.Html;
using Dovetail.Cli.Reports.Results;
using Dovetail.Cli.Reports.Sections;
using Dovetail.Core;
using Dovetail.Core.Files;

namespace Dovetail.Cli.Reports;

/// <summary>
/// <c>report.html</c>: a pure function of the result. One file without scripts or references; a content security
/// policy in the page itself keeps it so. The markup is well-formed XML, which the tests parse.
/// </summary>
public static class HtmlReport
{
    public static string Render(CodesignResult result)
    {
        ArgumentNullException.ThrowIfNull(result);
        Section[] sections =
        [
            NotesSection.Render(result),
            AccuracySection.Render(result),
            TrainingSection.Render(result),
            SizeSection.Render(result),
            SpeedSection.Render(result),
            AgreementSection.Render(result),
            AcceleratorSection.Render(result),
            RtlSection.Render(result),
            MaskSection.Render(result),
            ModelSection.Render(result),
            ReproduceSection.Render(result),
            EnvironmentSection.Render(result),
        ];
        sections = [.. sections.Where(section => !section.Body.IsEmpty)];
        return Markup.Of(
            $"""
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8"/>
            <meta name="viewport" content="width=device-width, initial-scale=1"/>
            <meta name="color-scheme" content="light dark"/>
            <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:"/>
            <title>{result.Model.Name}, {result.Pattern}: Dovetail codesign report</title>
            <style>
            {StyleSheet()}
            </style>
            </head>
            <body>
            {HeaderSection.Render(result)}
            <nav aria-label="Contents"><ul>{sections.Select(section => Markup.Of($"""<li><a href="#{section.Id}">{section.Title}</a></li>"""))}</ul></nav>
            <main>
            {sections.Select(section => section.Render())}
            </main>
            <footer>Made by <code>dovetail codesign</code> {result.Environment.Version} from <code>result.json</code> alone.</footer>
            </body>
            </html>

            """).ToString();
    }

    /// <summary>Writes the page whole or not at all.</summary>
    /// <exception cref="DovetailException">The file cannot be written, or the result's mask does not fit its layer.</exception>
    public static void Write(string path, CodesignResult result) => AtomicFile.WriteAllText(path, Render(result));

    // Our own file, kept free of <, & and quotes in selectors, so escaping changes nothing in it.
    private static string StyleSheet()
    {
        using Stream stream = Assembly.GetExecutingAssembly().GetManifestResourceStream("report.css")
            ?? throw new InvalidOperationException("The style sheet is not embedded in this assembly.");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
