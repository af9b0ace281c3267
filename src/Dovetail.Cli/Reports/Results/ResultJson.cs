using System.Text.Encodings.Web;
using System.Text.Json;
using Dovetail.Core;
using Dovetail.Core.Files;

namespace Dovetail.Cli.Reports.Results;

/// <summary>
/// <c>result.json</c>: a <see cref="CodesignResult"/> in snake case, indented, UTF-8 (docs/result.md).
/// Read(Write(result)) is the same result. Names that a newer version adds are ignored.
/// </summary>
public static class ResultJson
{
    /// <summary>The schema that this version writes, and the newest that it reads.</summary>
    public const int SchemaVersion = 1;

    private static readonly ResultJsonContext Context = new(new JsonSerializerOptions(ResultJsonContext.Default.Options)
    {
        // The file is data, not part of a page: "64×32" should stay readable.
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    });

    /// <summary>The file's text, ending in a line feed.</summary>
    /// <exception cref="ReportException">A figure is NaN or infinite.</exception>
    public static string Serialize(CodesignResult result)
    {
        ArgumentNullException.ThrowIfNull(result);
        try
        {
            return JsonSerializer.Serialize(result, Context.CodesignResult) + "\n";
        }
        catch (JsonException error)
        {
            throw new ReportException(
                $"The result cannot be written at {error.Path ?? "$"}: {error.Message} The stage that measured it failed; run again with "
                + "the same seed.", error);
        }
    }

    /// <summary>Writes the file whole or not at all.</summary>
    /// <exception cref="DovetailException">A figure is not finite, or the file cannot be written.</exception>
    public static void Write(string path, CodesignResult result) => AtomicFile.WriteAllText(path, Serialize(result));

    /// <exception cref="ReportException">No such file, not JSON, not a result, or a newer format.</exception>
    public static CodesignResult Read(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        byte[] bytes;
        try
        {
            bytes = UserFile.ReadAllBytes(path, UserFile.LargestText);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new ReportException($"'{path}' cannot be read: {error.Message} Expected the result.json that 'dovetail codesign' writes "
                + "into its output folder.", error);
        }

        return Parse(bytes, path);
    }

    private static CodesignResult Parse(byte[] bytes, string path)
    {
        ReadOnlySpan<byte> text = bytes;
        if (text.StartsWith("\uFEFF"u8))
            text = text[3..];
        try
        {
            CodesignResult result = JsonSerializer.Deserialize(text, Context.CodesignResult)
                ?? throw new ReportException($"'{path}' holds null, expected the object that 'dovetail codesign' writes.");
            int version = Math.Max(result.SchemaVersion, result.FormatVersion);
            return version <= SchemaVersion
                ? result
                : throw new ReportException(
                    $"'{path}' has schema_version {version}, and this version reads up to {SchemaVersion}. Update dovetail, or run "
                    + "'dovetail codesign' again.");
        }
        catch (JsonException error)
        {
            throw new ReportException(
                $"'{path}' is not a result of 'dovetail codesign': {JsonFault.Describe(error)}. Expected the JSON object that "
                + $"docs/result.md "
                + "describes; run 'dovetail codesign' again.", error);
        }
    }
}
