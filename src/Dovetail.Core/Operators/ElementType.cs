namespace Dovetail.Core.Operators;

/// <summary>
/// The element types of operators' inputs and outputs, numbered as ONNX's TensorProto and ONNX Runtime's C interface number them.
/// </summary>
public enum ElementType
{
    /// <summary>None, or more than one is allowed.</summary>
    Undefined = 0,
    Float = 1,
    UInt8 = 2,
    Int8 = 3,
    Int32 = 6,
    Float16 = 10,
    BFloat16 = 16,
}
