using Dovetail.Kernels.OnnxOperators.Interop;

namespace Dovetail.Kernels.OnnxOperators;

/// <summary>An input as docs/operators.md lists it.</summary>
/// <param name="Name">As there.</param>
/// <param name="Type">Of its elements; undefined where more than one is allowed, and the kernel looks when it reads them.</param>
/// <param name="IsOptional">Whether it may be absent.</param>
internal sealed record OperatorInput(string Name, ElementType Type, bool IsOptional = false);
