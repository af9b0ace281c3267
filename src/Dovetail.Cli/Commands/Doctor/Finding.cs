namespace Dovetail.Cli.Commands.Doctor;

/// <summary>One line of <c>dovetail doctor</c>.</summary>
/// <param name="Advice">What to do; null where all is well.</param>
public sealed record Finding(string Subject, FindingStatus Status, string Found, string? Advice = null);

public enum FindingStatus
{
    Good,

    /// <summary>Something optional is not here: a part of a job is skipped or slower.</summary>
    Missing,

    /// <summary>Something that jobs need does not work.</summary>
    Broken,
}
