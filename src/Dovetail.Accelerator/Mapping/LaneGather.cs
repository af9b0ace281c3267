using Dovetail.Core.Workloads;

namespace Dovetail.Accelerator.Mapping;

/// <summary>
/// im2col onto lanes.
/// 1. Lane i of slot s carries the activation at InputColumn(s / keep, i) = tap·channels + channel.
/// 2. A convolution's pixel (oh, ow) sees tap (kh, kw) at (oh·stride − pad + kh·dilation, …); outside the
///    map it is the zero point. A matrix product is a convolution of one tap over its tokens.
/// 3. A uint8 activation x enters as the int8 x − 128, which is x with its top bit flipped.
/// </summary>
internal sealed class LaneGather(LayerMapping mapping)
{
    /// <summary>Elements of the layer's input.</summary>
    public static long InputLength(LayerMapping mapping) =>
        mapping.Workload.Convolution is { } geometry
            ? (long)geometry.InputHeight * geometry.InputWidth * mapping.Layout.Shape.Channels * mapping.Groups
            : (long)mapping.Pixels * mapping.Workload.K;

    /// <returns>[pixels, array rows, lanes]; zero where no candidate is.</returns>
    public sbyte[] Gather(ArrayFold fold, ReadOnlySpan<byte> activations, byte zeroPoint)
    {
        long expected = InputLength(mapping);
        if (activations.Length != expected)
            throw new AcceleratorException($"Layer '{mapping.Workload.Name}' got {activations.Length} activations, expected {expected}: "
                + "channels innermost, one input (batch 1).");
        int rows = mapping.Config.Rows, lanes = mapping.Config.Lanes, pixels = mapping.Pixels;
        var result = new sbyte[checked(pixels * rows * lanes)];
        int inputChannels = mapping.Layout.Shape.Channels * mapping.Groups;
        int firstChannel = fold.ConvolutionGroup * mapping.Layout.Shape.Channels;
        ConvolutionGeometry geometry = mapping.Workload.Convolution ?? new ConvolutionGeometry(pixels, 1, 1, 1);
        int outputWidth = geometry.OutputWidth;
        sbyte padding = Flip(zeroPoint);
        for (int r = 0; r < fold.Slots; r++)
        {
            int cell = (fold.FirstSlot + r) / mapping.Pattern.Keep;
            int candidates = mapping.Candidates(fold.FirstSlot + r);
            (int tap, int channel) = Math.DivRem(mapping.Layout.InputColumn(cell, 0), mapping.Layout.Shape.Channels);
            int step = candidates > 1 ? mapping.Layout.InputColumn(cell, 1) - mapping.Layout.InputColumn(cell, 0) : 1;
            (int kernelRow, int kernelColumn) = Math.DivRem(tap, geometry.KernelWidth);
            int top = kernelRow * geometry.DilationHeight - geometry.PadTop;
            int left = kernelColumn * geometry.DilationWidth - geometry.PadLeft;
            for (int p = 0; p < pixels; p++)
            {
                (int outputRow, int outputColumn) = Math.DivRem(p, outputWidth);
                int y = outputRow * geometry.StrideHeight + top, x = outputColumn * geometry.StrideWidth + left;
                Span<sbyte> target = result.AsSpan((p * rows + r) * lanes, candidates);
                if ((uint)y >= (uint)geometry.InputHeight || (uint)x >= (uint)geometry.InputWidth)
                {
                    target.Fill(padding);
                    continue;
                }

                ReadOnlySpan<byte> source = activations[((y * geometry.InputWidth + x) * inputChannels + firstChannel + channel)..];
                for (int i = 0, at = 0; i < target.Length; i++, at += step)
                    target[i] = Flip(source[at]);
            }
        }

        return result;
    }

    private static sbyte Flip(byte x) => unchecked((sbyte)(x ^ 0x80));
}
