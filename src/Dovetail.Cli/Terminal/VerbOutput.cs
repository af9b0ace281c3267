using System.Text.Json;
using System.Text.Json.Serialization;
using Dovetail.Cli.Reports.Results;
using Dovetail.Core;
using Dovetail.Core.Files;
using Spectre.Console;

namespace Dovetail.Cli.Terminal;

/// <summary>
/// Where a verb speaks. Words for people go to <see cref="Human"/>: standard output, or standard error when
/// <c>--json -</c> claims standard output for the machine. The JSON is written last, whole or not at all.
/// </summary>
public sealed class VerbOutput
{
    private readonly string? _jsonTarget;

    public VerbOutput(string? jsonTarget)
    {
        CheckTarget(jsonTarget);
        _jsonTarget = jsonTarget;
        Human = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Out = new AnsiConsoleOutput(jsonTarget == "-" ? Console.Error : Console.Out),
        });
        bool redirected = jsonTarget == "-" ? Console.IsErrorRedirected : Console.IsOutputRedirected;
        if (redirected)
            Human.Profile.Width = 160; // a log file has no width to wrap at
    }

    public IAnsiConsole Human { get; }

    /// <summary>A target that cannot be written is found before the work, not after it.</summary>
    private static void CheckTarget(string? target)
    {
        if (target is null or "-")
            return;
        if (string.IsNullOrWhiteSpace(target))
            throw new DovetailException("--json has an empty file name; expected a file, or '-' for standard output.");
        if (Directory.Exists(target) || Path.GetDirectoryName(Path.GetFullPath(target)) is not { } folder || !Directory.Exists(folder))
            throw new DovetailException($"--json {target} cannot be written: it is a folder, or its folder does not exist. Make the "
                + "folder, or give another file.");
    }

    public static JsonSerializerOptions JsonOptions { get; } = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DictionaryKeyPolicy = JsonNamingPolicy.SnakeCaseLower,
        WriteIndented = true,
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals, // a network may answer NaN: "NaN", as text
    };

    /// <summary>Writes the verb's result where <c>--json</c> asked for it, if it did.</summary>
    public void WriteJson(VerbResult result)
    {
        if (_jsonTarget is not null)
            WriteJsonText(JsonSerializer.Serialize<object>(result, JsonOptions) + "\n");
    }

    /// <summary>As <see cref="WriteJson"/> for text that is JSON already.</summary>
    public void WriteJsonText(string text)
    {
        if (_jsonTarget is null)
            return;
        if (_jsonTarget == "-")
            Console.Out.Write(text);
        else
            AtomicFile.WriteAllText(_jsonTarget, text);
    }
}
