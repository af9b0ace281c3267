using System.Runtime.InteropServices;
using Dovetail.Kernels.Selector;

namespace Dovetail.Kernels.MachineCode;

/// <summary>Weights of 32 bits that 16 bits hold exactly, and their way there.</summary>
internal static unsafe class NarrowWeights
{
    private const int Lanes = 16;

    /// <summary>The narrowest storage that holds every value exactly.</summary>
    public static WeightStorage StorageOf(ReadOnlySpan<float> values)
    {
        if (AllAreBFloat16(MemoryMarshal.Cast<float, uint>(values)))
            return WeightStorage.BFloat16;
        foreach (float value in values)
            if (BitConverter.SingleToUInt32Bits((float)(Half)value) != BitConverter.SingleToUInt32Bits(value))
                return WeightStorage.AsMultiplied;
        return WeightStorage.Float16;
    }

    /// <summary>The stream with 16 bits a weight.</summary>
    /// <param name="streams">Vectors of <see cref="Lanes"/> floats.</param>
    /// <param name="convolutionGroups">Of the layer.</param>
    /// <param name="storage">One that holds every value exactly.</param>
    public static AlignedBuffer Narrow(SelectorStreams streams, int convolutionGroups, WeightStorage storage)
    {
        var narrow = new AlignedBuffer(streams.Weights.Length / 2);
        var source = (float*)streams.Weights.Pointer;
        var target = (ushort*)narrow.Pointer;
        int steps = streams.Shape.Taps * streams.Shape.Windows * streams.Shape.Steps;
        for (int group = 0; group < convolutionGroups; group++)
            for (int block = 0; block < streams.BlocksPerGroup; block++)
            {
                int vectors = streams.VectorsOf(block);
                for (int step = 0; step < steps; step++, source += vectors * Lanes, target += vectors * Lanes)
                    for (int v = 0; v < vectors; v++)
                        for (int lane = 0; lane < Lanes; lane++)
                        {
                            float value = source[v * Lanes + lane];
                            if (storage == WeightStorage.Float16)
                                target[v * Lanes + lane] = BitConverter.HalfToUInt16Bits((Half)value);
                            else
                                target[vectors == 2 ? 2 * lane + v : lane] = (ushort)(BitConverter.SingleToUInt32Bits(value) >> 16);
                        }
            }

        return narrow;
    }

    private static bool AllAreBFloat16(ReadOnlySpan<uint> bits)
    {
        foreach (uint value in bits)
            if ((value & 0xFFFF) != 0)
                return false;
        return true;
    }
}
