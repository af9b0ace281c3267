using System.Collections.Immutable;

namespace Dovetail.Core.Operators;

/// <summary>
/// One operator of the domain: what a file may say of it and what a kernel may expect. Files and kernels ask here for the
/// place of an input and for the name, type and default of an attribute.
/// </summary>
/// <param name="Name">The node's op_type.</param>
/// <param name="SinceVersion">The first version of the domain that has the operator in this form.</param>
/// <param name="Standard">ONNX's operator that computes the same on NCHW, with dense weights.</param>
/// <param name="Inputs">In order; optional ones last.</param>
/// <param name="OutputType">Of the elements of the only output.</param>
/// <param name="OutputShape">As docs/operators.md writes it.</param>
public sealed record OperatorSchema(
    string Name, int SinceVersion, string Standard, ImmutableArray<OperatorInput> Inputs, ElementType OutputType, string OutputShape,
    ImmutableArray<OperatorAttribute> Attributes)
{
    /// <summary>True for the operators with packed weights.</summary>
    public bool IsPacked => FindInput(InputNames.Values) is not null;

    /// <summary>True for packed weights and activations in int8.</summary>
    public bool IsQuantized => IsPacked && OutputType == ElementType.UInt8;

    /// <summary>True for packed weights under a window.</summary>
    public bool IsConvolution => IsPacked && Attributes.Contains(OperatorAttributes.Strides);

    /// <summary>The attribute "activation" with the values that the operator takes; null where it has none.</summary>
    public StringAttribute? Activation =>
        Attributes.OfType<StringAttribute>().FirstOrDefault(attribute => attribute.Name == OperatorAttributes.Activation.Name);

    /// <summary>How many inputs must be there.</summary>
    public int RequiredInputs => Inputs.Count(input => !input.IsOptional);

    /// <summary>The place of an input; null where the operator has none of that name.</summary>
    public int? FindInput(string name)
    {
        for (int i = 0; i < Inputs.Length; i++)
            if (Inputs[i].Name == name)
                return i;
        return null;
    }

    /// <exception cref="ArgumentException">The operator has no such input.</exception>
    public int InputIndex(string name) => FindInput(name) ?? throw new ArgumentException($"{Name} has no input '{name}'.", nameof(name));

    public override string ToString() => $"{OperatorSet.Domain}.{Name}";
}
