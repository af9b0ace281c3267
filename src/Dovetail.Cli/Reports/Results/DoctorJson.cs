namespace Dovetail.Cli.Reports.Results;

/// <summary>The JSON of <c>dovetail doctor</c>.</summary>
/// <param name="ExpectedGains">Of CPUs of this one's kind.</param>
public sealed record DoctorJson(IReadOnlyList<FindingJson> Findings, IReadOnlyList<ExpectedGain> ExpectedGains) : VerbResult;

/// <param name="Status">"good", "missing" or "broken".</param>
/// <param name="Advice">What to do; null where all is well.</param>
public sealed record FindingJson(string Subject, string Status, string Found, string? Advice);
