namespace Dovetail.Onnx.Operators;

/// <summary>A parameter of an operator that its versions keep in different places.</summary>
/// <param name="Name">Its name as an attribute and in the specification.</param>
/// <param name="Places">
/// Since a version: the input that holds it, or null for an attribute. Ascending; before the first there is no such parameter.
/// </param>
internal sealed record OperatorParameter(string Name, params (int Since, int? Input)[] Places)
{
    /// <summary>An attribute that became an input.</summary>
    public static OperatorParameter Moved(string name, int toInput, int since) => new(name, (1, null), (since, toInput));
}
