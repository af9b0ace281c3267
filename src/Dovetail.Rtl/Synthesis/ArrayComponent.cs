namespace Dovetail.Rtl.Synthesis;

/// <summary>A part of an array beside the same of the dense one.</summary>
/// <param name="Unit">"area" in the library's unit, "count" or "bits".</param>
public sealed record ArrayComponent(string Name, string Unit, double Dense, double Complementary);
