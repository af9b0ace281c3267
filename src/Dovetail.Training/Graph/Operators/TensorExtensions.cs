using System.Runtime.InteropServices;
using TorchSharp;
using static TorchSharp.torch;

namespace Dovetail.Training.Graph.Operators;

internal static class TensorExtensions
{
    /// <summary>A copy of a float tensor's elements, row-major.</summary>
    public static float[] ToFloats(this Tensor tensor)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor plain = tensor.detach().contiguous();
        return MemoryMarshal.Cast<byte, float>(plain.bytes).ToArray();
    }

    /// <summary>Replaces the elements of a contiguous float tensor in place, without gradient.</summary>
    public static void Assign(this Tensor tensor, ReadOnlySpan<float> values)
    {
        Span<float> target = MemoryMarshal.Cast<byte, float>(tensor.bytes);
        if (values.Length != target.Length)
            throw new GraphException($"{values.Length} values were given for a tensor of {target.Length}.");
        values.CopyTo(target);
    }
}
