namespace Dovetail.Rtl.Emit;

/// <summary>How the multiplier and adder of a PE are written.</summary>
public enum MultiplierStyle
{
    /// <summary>The <c>*</c> operator: small text, quick to simulate; the synthesiser chooses the structure.</summary>
    Operator,

    /// <summary>Carry-save rows of full adders, which a cell library has as one cell: less area in such libraries.</summary>
    FullAdders,
}

/// <summary>What an emission takes besides the array itself.</summary>
/// <param name="Multiplier">The structure of the MAC.</param>
/// <param name="Command">The command that the headers name; null derives <c>dovetail rtl …</c> from the configuration.</param>
/// <param name="Seed">The seed of the run that emits, for the headers; the text does not depend on it.</param>
public sealed record RtlOptions(
    MultiplierStyle Multiplier = MultiplierStyle.Operator,
    string? Command = null,
    long? Seed = null);
