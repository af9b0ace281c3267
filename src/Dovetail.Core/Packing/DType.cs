namespace Dovetail.Core.Packing;

/// <summary>The element types of packed values.</summary>
public enum DType
{
    Float32,
    Float16,
    BFloat16,
    Int8,
}
