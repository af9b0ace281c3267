using Dovetail.Core.Packing;
using Dovetail.Core.Patterns;
using Dovetail.Core.Safetensors;

namespace Dovetail.Onnx.Inspection;

/// <summary>
/// The layers of a safetensors file: its packed weights, and every tensor of at least two dimensions with
/// floating-point or int8 elements, taken as [outputs, inputs, spatial…]. Convolution groups are not known there.
/// </summary>
internal static class SafetensorsWeights
{
    public static IReadOnlyList<WeightEntry> Read(SafetensorsFile file, bool packed)
    {
        var entries = new List<WeightEntry>();
        var parts = new HashSet<string>();
        if (packed)
            foreach ((string name, PackedTensor weights) in PackedSafetensors.Read(file))
            {
                entries.Add(WeightEntry.Of(name, "packed", weights));
                parts.UnionWith(
                    ((string[])[".weight_packed", ".weight_index", ".weight_shape", ".weight_scale"]).Select(suffix => name + suffix));
            }

        entries.AddRange(
            file.Tensors.Where(tensor => !parts.Contains(tensor.Name)).Select(tensor => Dense(file, tensor)).OfType<WeightEntry>());
        return entries;
    }

    private static WeightEntry? Dense(SafetensorsFile file, SafetensorsTensor tensor)
    {
        bool supported = tensor.DType is SafetensorsDType.F32 or SafetensorsDType.F16 or SafetensorsDType.BF16 or SafetensorsDType.F64
            or SafetensorsDType.I8;
        if (!supported || tensor.Shape.Length < 2 || tensor.ByteCount == 0 || tensor.Shape.Any(dimension => dimension > int.MaxValue))
            return null;
        var shape = new WeightShape([.. tensor.Shape.Select(dimension => (int)dimension)]);
        return new WeightEntry(
            tensor.Name, "tensor", shape, TypeName(tensor.DType), tensor.ByteCount, tensor.ByteCount, Declared: null, () =>
            {
                float[] weights = Floats(file, tensor), matrix = new float[shape.Count];
                shape.ToMatrixOrder<float>(weights, matrix);
                return matrix;
            });
    }

    private static string TypeName(SafetensorsDType type) => type switch
    {
        SafetensorsDType.F32 => "float32",
        SafetensorsDType.F64 => "float64",
        SafetensorsDType.F16 => "float16",
        SafetensorsDType.BF16 => "bfloat16",
        _ => "int8",
    };

    private static float[] Floats(SafetensorsFile file, SafetensorsTensor tensor) => tensor.DType switch
    {
        SafetensorsDType.F32 => file.ToArray<float>(tensor),
        SafetensorsDType.F64 => Array.ConvertAll(file.ToArray<double>(tensor), value => (float)value),
        SafetensorsDType.F16 => Array.ConvertAll(file.ToArray<Half>(tensor), value => (float)value),
        SafetensorsDType.BF16 => Array.ConvertAll(file.ToArray<BFloat16>(tensor), value => (float)value),
        _ => Array.ConvertAll(file.ToArray<sbyte>(tensor), value => (float)value),
    };
}
