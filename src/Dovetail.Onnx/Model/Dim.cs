namespace Dovetail.Onnx.Model;

/// <summary>A dimension: a number, a symbol such as "N" (equal symbols are equal sizes), or unknown.</summary>
public readonly record struct Dim(long? Value, string? Symbol = null)
{
    public static Dim Unknown => default;

    public bool IsKnown => Value.HasValue;

    public static implicit operator Dim(long value) => new(value);

    public static implicit operator Dim(string symbol) => new(null, symbol);

    public static Dim FromInt64(long value) => value;

    public static Dim FromString(string symbol) => symbol;

    public override string ToString() => Value?.ToString() ?? Symbol ?? "?";
}
