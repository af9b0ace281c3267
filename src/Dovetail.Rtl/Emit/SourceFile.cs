namespace Dovetail.Rtl.Emit;

/// <summary>A file to be written: its name without a folder, and its text with line feeds.</summary>
public sealed record SourceFile(string Name, string Text);
