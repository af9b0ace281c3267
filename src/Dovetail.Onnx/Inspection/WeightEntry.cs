using Dovetail.Core.Packing;
using Dovetail.Core.Patterns;

namespace Dovetail.Onnx.Inspection;

/// <summary>The weights of one layer as a file holds them.</summary>
/// <param name="Op">The operator of an ONNX file; "tensor" or "packed" in safetensors.</param>
/// <param name="Type">Element type of the stored values, e.g. "float32", "int8".</param>
/// <param name="Bytes">Of values, owners and scales in the file.</param>
/// <param name="DenseBytes">Of the dense weights in the same element type.</param>
/// <param name="Declared">The pattern that a packed layer carries; null for dense storage.</param>
/// <param name="Load">Reads the weights in matrix order, as numbers: quantized ones times their scales.</param>
/// <param name="LoadOwners">Packed layers: the mask of their owners, whatever their values.</param>
public sealed record WeightEntry(
    string Name, string Op, WeightShape Shape, string Type, long Bytes, long DenseBytes, SparsityPattern? Declared,
    Func<float[]> Load, Func<bool[]>? LoadOwners = null)
{
    /// <summary>What a packed floating-point layer of an ONNX file multiplies, "fp32" or "bf16"; else null.</summary>
    public string? Operands { get; init; }

    /// <summary>How many layers of the file read these weights.</summary>
    public int Readers { get; init; } = 1;

    public bool IsPacked => LoadOwners is not null;

    /// <summary>Packed weights of any container.</summary>
    public static WeightEntry Of(string name, string op, PackedTensor weights) => new(
        name, op, weights.Shape, weights.DType.ToString().ToLowerInvariant(), weights.ByteCount,
        PackedSize.Of(weights.Layout, weights.DType).DenseBytes, weights.Pattern,
        () => Packer.Unpack(PackedCast.ToFloat32(weights)), () => Packer.UnpackMask(weights));
}
