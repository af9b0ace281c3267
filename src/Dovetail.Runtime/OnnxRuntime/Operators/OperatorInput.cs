using Dovetail.Runtime.OnnxRuntime.Interop;

namespace Dovetail.Runtime.OnnxRuntime.Operators;

/// <summary>An input as docs/operators.md lists it.</summary>
internal sealed record OperatorInput(string Name, ElementType Type, bool IsOptional = false);
