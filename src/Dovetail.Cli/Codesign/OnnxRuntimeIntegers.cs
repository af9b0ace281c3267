using Dovetail.Cli.Reports.Results;
using Dovetail.Core.Packing;
using Dovetail.Onnx.Layers;
using Dovetail.Onnx.Model;

namespace Dovetail.Cli.Codesign;

/// <summary>
/// ONNX Runtime's own int8 layers against the scalar reference, each on the input that it had. On an x86 CPU without
/// VNNI they sum two uint8 × int8 products in 16 bits, saturating; elsewhere nothing differs.
/// </summary>
internal static class OnnxRuntimeIntegers
{
    /// <summary>Test images that <see cref="Measure"/> runs.</summary>
    private const int Images = 8;

    /// <summary>How far off ONNX Runtime is on a QDQ network where nothing is asked for, as its speed is measured.</summary>
    /// <param name="network">What the report calls it.</param>
    public static OnnxRuntimeInt8Info Measure(string network, OnnxModel model, JobImages images, CancellationToken cancellation)
    {
        PackedModel layers = PackedModelReader.Read(model);
        int count = Math.Min(Images, images.Data.Test.Count);
        return Compare(network, count, Enumerable.Range(0, count).SelectMany(image =>
        {
            cancellation.ThrowIfCancellationRequested();
            return CapturedLayer.Capture(model, layers, images.TestImage(image), images.Shape, exactIntegers: false);
        }));
    }

    /// <summary>Whether the layers that ONNX Runtime itself ran are the scalar reference's, bit for bit.</summary>
    public static bool AreExact(IEnumerable<CapturedLayer> layers) => Compare("", 1, layers).DifferingShare == 0;

    /// <param name="images">What <paramref name="layers"/> were captured for. Packed layers among them are passed over.</param>
    internal static OnnxRuntimeInt8Info Compare(string network, int images, IEnumerable<CapturedLayer> layers)
    {
        long values = 0, differing = 0;
        int greatest = 0;
        foreach (CapturedLayer layer in layers)
        {
            if (layer.IsPacked || layer.Output is not { } found)
                continue;
            byte[] expected = layer.ReferenceOutput();
            values += expected.Length;
            for (int i = 0; i < expected.Length; i++)
            {
                int steps = Math.Abs(expected[i] - found[i]);
                greatest = Math.Max(greatest, steps);
                differing += steps > 0 ? 1 : 0;
            }
        }

        return new OnnxRuntimeInt8Info(network, images, values, values == 0 ? 0 : (double)differing / values, greatest);
    }
}
