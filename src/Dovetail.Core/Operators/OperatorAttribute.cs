using System.Collections.Immutable;
using System.Globalization;

namespace Dovetail.Core.Operators;

/// <summary>An attribute of an operator; <see cref="OperatorAttributes"/> holds all there are.</summary>
public abstract record OperatorAttribute(string Name)
{
    /// <summary>As docs/operators.md writes it, e.g. "ints [2], 1 or more".</summary>
    public abstract string TypeText { get; }

    /// <summary>What counts where the attribute is absent, as docs/operators.md writes it; null where it must be there.</summary>
    internal abstract string? DefaultText { get; }
}

/// <param name="Values">What is allowed; empty: any text that its reader understands.</param>
public sealed record StringAttribute(string Name, ImmutableArray<string> Values, string? Default) : OperatorAttribute(Name)
{
    public override string TypeText => Values.IsEmpty ? "string" : $"string: {string.Join(", ", Values.Select(value => $"`{value}`"))}";

    internal override string? DefaultText => Default is null ? null : $"`{Default}`";

    /// <summary>Why a text is not allowed, e.g. "is 'tanh', expected 'none' or 'relu'"; null where it is.</summary>
    public string? Fault(string value) => Values.IsEmpty || Values.Contains(value) ? null
        : $"is '{value}', expected {string.Join(", ", Values[..^1].Select(known => $"'{known}'"))} or '{Values[^1]}'";
}

public sealed record FloatAttribute(string Name, float Default) : OperatorAttribute(Name)
{
    public override string TypeText => "float";

    internal override string? DefaultText => float.IsPositiveInfinity(Default) ? "∞"
        : float.IsNegativeInfinity(Default) ? "−∞"
        : Default.ToString(CultureInfo.InvariantCulture);
}

public sealed record IntAttribute(string Name, int Minimum, int Default) : OperatorAttribute(Name)
{
    public override string TypeText => $"int, {Minimum} or more";

    internal override string? DefaultText => $"{Default}";

    /// <summary>Why a number is not allowed; null where it is.</summary>
    public string? Fault(long value) => value >= Minimum && value <= int.MaxValue ? null
        : $"is {value}, expected an integer of {Minimum} or more{(value > int.MaxValue ? ", in 32 bits" : "")}";
}

/// <param name="Length">How many numbers; null: as many as the operator's weight has dimensions.</param>
/// <param name="Default">Empty where the attribute must be there.</param>
public sealed record IntsAttribute(string Name, int? Length, int Minimum, ImmutableArray<int> Default) : OperatorAttribute(Name)
{
    public override string TypeText => $"ints{(Length is { } length ? $" [{length}]" : "")}, {Minimum} or more";

    internal override string? DefaultText => Default.IsEmpty ? null : $"[{string.Join(", ", Default)}]";

    /// <summary>Why numbers are not allowed; null where they are.</summary>
    public string? Fault(IReadOnlyCollection<long> values) =>
        (Length is null || values.Count == Length) && values.All(value => value >= Minimum && value <= int.MaxValue)
            ? null
            : $"is [{string.Join(", ", values)}], expected {(Length is { } length ? $"{length} " : "")}integers of {Minimum} or more"
                + (values.Any(value => value > int.MaxValue) ? ", in 32 bits" : "");
}
