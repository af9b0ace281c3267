namespace Dovetail.Cli.Reports.Results;

/// <summary>The JSON of <c>dovetail verify</c> about a file that could not be read; the two flags are false.</summary>
public sealed record UnreadableJson(string File, bool Readable, bool Satisfied, string Error) : VerbResult;
