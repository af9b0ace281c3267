using System.Collections.Immutable;

namespace Dovetail.Core.Operators;

/// <summary>An input of an operator; its place follows from the schema that lists it.</summary>
/// <param name="Name">One of <see cref="InputNames"/>.</param>
/// <param name="Types">Of its elements; one of them.</param>
/// <param name="Shape">As docs/operators.md writes it, e.g. "[N,H,W,C]"; "scalar" for a single number.</param>
/// <param name="IsOptional">Whether it may be left out, or empty where others follow.</param>
public sealed record OperatorInput(string Name, ImmutableArray<ElementType> Types, string Shape, bool IsOptional = false)
{
    /// <summary>The only type; <see cref="ElementType.Undefined"/> where there are several.</summary>
    public ElementType Type => Types is [var only] ? only : ElementType.Undefined;
}
