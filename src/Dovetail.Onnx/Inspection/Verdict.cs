namespace Dovetail.Onnx.Inspection;

/// <summary>What <see cref="Verification"/> found.</summary>
/// <param name="Pattern">The pattern that was asked for or that the metadata declare; null where only layers carry patterns.</param>
/// <param name="Layers">Every layer with weights, checked or not.</param>
public sealed record Verdict(string Format, string? Pattern, IReadOnlyList<LayerVerdict> Layers, IReadOnlyList<Violation> Violations)
{
    public bool Satisfied => Violations.Count == 0;

    /// <summary>Where the file first breaks its pattern.</summary>
    public Violation? FirstViolation => Violations.Count > 0 ? Violations[0] : null;
}

/// <param name="Status">"satisfied", "violated" or "not checked".</param>
/// <param name="Reason">Why the layer was not checked, or what is wrong.</param>
public sealed record LayerVerdict(string Name, string Shape, string? Pattern, string Status, string? Reason)
{
    public const string Good = "satisfied", Bad = "violated", Unchecked = "not checked";
}

/// <summary>A break of the pattern, as precisely placed as it can be. Row and column are those of the weight matrix [outputs,
/// taps·channels].</summary>
public sealed record Violation(string? Layer, int? Cell, int? Row, int? Column, string Message);
