using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Dovetail.Core.Packing;
using Dovetail.Core.Patterns;

namespace Dovetail.Benchmarks;

/// <summary>From the bytes of a file (values and bit-packed owners) to the dense matrix, against a copy of a matrix of that size. All
/// buffers, the owners' too, exist before: the copy pays for no allocation either.</summary>
internal static class DecodingBenchmark
{
    private const int Size = 4096;

    public static void Run(TextWriter output)
    {
        output.WriteLine($"decoding of {Size}×{Size} weights from owners as in a file, best / median milliseconds");
        output.WriteLine("pattern, type           owners + scatter      scatter alone         copy of the dense     share of the "
            + "copy's rate");
        foreach (string text in (string[])[
            "2:4", "1:4", "1:8", "2:8", "4:8", "1:16", "2:16", "4:16", "8:16", "2:32", "4:64", "4:64@strided", "4:64/out", "1:16x2"])
        {
            Measure<float>(output, text, value => value);
            Measure<sbyte>(output, text, value => (sbyte)Math.Clamp(value * 40, -127, 127));
        }
    }

    private static void Measure<T>(TextWriter output, string text, Func<float, T> convert)
        where T : unmanaged
    {
        var layout = new CellLayout(ComplementaryPattern.Parse(text), WeightShape.Matrix(Size, Size));
        float[] source = GaussianWeights.Create(Size * Size, 1);
        bool[] mask = Projection.ByMagnitude(source, layout);
        T[] weights = [.. source.Select((value, i) => mask[i] ? convert(value) : default)];
        PackedTensor<T> packed = Packer.Pack<T>(weights, layout, mask);
        byte[] encoded = packed.EncodeOwners();
        T[] decoded = new T[Size * Size], copied = new T[Size * Size];
        byte[] owners = new byte[layout.OwnerCount];
        Timing[] times = Timing.Of(15,
            () =>
            {
                OwnerCodec.Decode(encoded, owners, layout.OwnerRows, layout.OwnerColumns, layout.Pattern.IndexBits);
                Packer.Unpack(new PackedTensor<T>(layout, packed.Values, owners), decoded);
            },
            () => Packer.Unpack(packed, decoded),
            () => weights.AsSpan().CopyTo(copied));
        if (!MemoryMarshal.AsBytes(decoded.AsSpan()).SequenceEqual(MemoryMarshal.AsBytes(weights.AsSpan())))
            throw new InvalidOperationException($"{text} was decoded wrongly");
        output.WriteLine($"{text + ", " + typeof(T).Name + " " + Unsafe.SizeOf<T>(),-20} {times[0]}   {times[1]}   {times[2]}   "
            + $"{times[2].MedianMilliseconds / times[0].MedianMilliseconds:P0}, scatter alone "
            + $"{times[2].MedianMilliseconds / times[1].MedianMilliseconds:P0}");
    }
}
