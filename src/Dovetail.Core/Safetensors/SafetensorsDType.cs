namespace Dovetail.Core.Safetensors;

/// <summary>Element types of the safetensors format. In a file they stand as in <see cref="SafetensorsDTypes.FileName"/>.</summary>
public enum SafetensorsDType
{
    Bool,
    U8,
    I8,
    U16,
    I16,
    U32,
    I32,
    U64,
    I64,
    F16,
    BF16,
    F32,
    F64,
    C64,
    F8E5M2,
    F8E4M3,
    F8E8M0,
    F6E2M3,
    F6E3M2,
    F4,
}

/// <summary>Names and sizes of the element types.</summary>
internal static class SafetensorsDTypes
{
    private static readonly (SafetensorsDType Type, string Name, int Bits)[] Table =
    [
        (SafetensorsDType.Bool, "BOOL", 8),
        (SafetensorsDType.U8, "U8", 8),
        (SafetensorsDType.I8, "I8", 8),
        (SafetensorsDType.U16, "U16", 16),
        (SafetensorsDType.I16, "I16", 16),
        (SafetensorsDType.U32, "U32", 32),
        (SafetensorsDType.I32, "I32", 32),
        (SafetensorsDType.U64, "U64", 64),
        (SafetensorsDType.I64, "I64", 64),
        (SafetensorsDType.F16, "F16", 16),
        (SafetensorsDType.BF16, "BF16", 16),
        (SafetensorsDType.F32, "F32", 32),
        (SafetensorsDType.F64, "F64", 64),
        (SafetensorsDType.C64, "C64", 64),
        (SafetensorsDType.F8E5M2, "F8_E5M2", 8),
        (SafetensorsDType.F8E4M3, "F8_E4M3", 8),
        (SafetensorsDType.F8E8M0, "F8_E8M0", 8),
        (SafetensorsDType.F6E2M3, "F6_E2M3", 6),
        (SafetensorsDType.F6E3M2, "F6_E3M2", 6),
        (SafetensorsDType.F4, "F4", 4),
    ];

    /// <summary>The name in a file's header, e.g. "F32", "F8_E5M2".</summary>
    public static string FileName(this SafetensorsDType type) => Table[(int)type].Name;

    /// <summary>Bits of an element; F4 and F6 are packed without gaps and must fill whole bytes.</summary>
    public static int BitCount(this SafetensorsDType type) => Table[(int)type].Bits;

    internal static bool TryParse(ReadOnlySpan<char> name, out SafetensorsDType type)
    {
        foreach ((SafetensorsDType candidate, string text, _) in Table)
            if (name.SequenceEqual(text))
            {
                type = candidate;
                return true;
            }

        type = default;
        return false;
    }

    internal static string AllNames => string.Join(", ", Table.Select(row => row.Name));
}
