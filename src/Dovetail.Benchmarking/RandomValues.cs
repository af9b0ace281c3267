using System.Runtime.InteropServices;
using Dovetail.Runtime;
using Microsoft.ML.OnnxRuntime;

namespace Dovetail.Benchmarking;

/// <summary>Random elements of any type: floating-point ones in [−1, 1), bytes over all values, other integers 0 or 1, so that they may be
/// an index into whatever table there is.</summary>
internal static class RandomValues
{
    /// <summary>What the options give for an input of a network, else random elements in its shape.</summary>
    public static InputTensor ForInput(string name, Type type, NodeMetadata metadata, BenchmarkOptions options, Random random)
    {
        if (options.Inputs.FirstOrDefault(input => input.Name == name) is { } given)
            return given;
        long[] shape = InputShapes.Of(name, metadata, options);
        return new InputTensor(name, Create(type, shape, random), shape);
    }

    public static Array Create(Type type, IReadOnlyList<long> shape, Random random)
    {
        Array values = Array.CreateInstance(type, shape.Aggregate(1L, (product, dimension) => checked(product * dimension)));
        switch (values)
        {
            case float[] floats:
                foreach (ref float element in floats.AsSpan())
                    element = (float)(random.NextDouble() * 2 - 1);
                break;
            case double[] doubles:
                foreach (ref double element in doubles.AsSpan())
                    element = random.NextDouble() * 2 - 1;
                break;
            case Half[] halves:
                foreach (ref Half element in halves.AsSpan())
                    element = (Half)(random.NextDouble() * 2 - 1);
                break;
            case byte[] or sbyte[]:
                random.NextBytes(MemoryMarshal.CreateSpan(ref MemoryMarshal.GetArrayDataReference(values), values.Length));
                break;
            default:
                for (int i = 0; i < values.Length; i++)
                    values.SetValue(Convert.ChangeType(random.Next(2), type, System.Globalization.CultureInfo.InvariantCulture), i);
                break;
        }

        return values;
    }
}
