using Dovetail.Cli.Reports.Results;
using Dovetail.Core;
using Dovetail.Onnx.Model;

namespace Dovetail.Cli.Codesign;

/// <summary>
/// What the packed int8 network is compared with.
/// 1. The scalar reference, layer by layer on the same input: bit for bit, on every CPU.
/// 2. The sparse int8 network (QDQ) in plain ONNX Runtime: convolutions of one image bit for bit, logits of all images in
///    quantization steps. ONNX Runtime is a peer only where its own layers are the scalar reference's (docs/decisions/0005);
///    a difference on an image where they are not says nothing, and the check is skipped.
/// </summary>
internal static class IntegerAgreement
{
    /// <summary>One quantization step, and what float division adds to it.</summary>
    private const double StepTolerance = 1.001;

    /// <summary>What float division adds where no step is allowed.</summary>
    private const double EqualTolerance = 0.001;

    /// <summary>Images that are looked at again, layer by layer, where logits differ.</summary>
    private const int ImagesLookedAtAgain = 8;

    private const string Inexact =
        "ONNX Runtime's own int8 layers differ from the scalar reference on this CPU, though its exact path was asked for";

    /// <summary>The int8 layers of the packed network that our operators ran = the scalar reference.</summary>
    public static EqualityCheck WithReference(IReadOnlyList<CapturedLayer> layers)
    {
        (byte[], byte[])[] outputs =
            [.. from layer in layers where layer.IsPacked && layer.Output is not null select (layer.ReferenceOutput(), layer.Output)];
        const string Name = "packed int8 layers inside ONNX Runtime = scalar reference, uint8 outputs";
        return outputs.Length == 0
            ? new EqualityCheck(Name, "skipped", 0, 0, 0, "no layer is packed")
            : BytesEqual(Name, outputs, $"{outputs.Length} layers, one test image");
    }

    /// <summary>Convolutions of the packed network = those of the sparse one, for one image in sessions of exact integers.</summary>
    public static EqualityCheck OfConvolutions(IReadOnlyList<CapturedLayer> sparse, IReadOnlyList<CapturedLayer> packed)
    {
        var outputs = new List<(byte[] Expected, byte[] Found)>();
        foreach (CapturedLayer layer in packed.Where(layer => layer.Layer.Workload.Convolution is not null))
            if (sparse.FirstOrDefault(other => other.Layer.Name == layer.Layer.Name)?.Output is { } expected && layer.Output is { } found)
                outputs.Add((expected, found));
        const string Name = "int8 convolutions, packed (our operators) = sparse QDQ (plain ONNX Runtime), uint8 outputs";
        if (outputs.Count == 0)
            return new EqualityCheck(Name, "skipped", 0, 0, 0, "the network has no convolution");
        EqualityCheck check = BytesEqual(Name, outputs, $"{outputs.Count} convolutions one after the other, one test image");
        return check.Status == "equal" || OnnxRuntimeIntegers.AreExact([.. sparse, .. packed])
            ? check
            : check with { Status = "skipped", Detail = Inexact };
    }

    /// <summary>
    /// Logits of the packed network = those of the sparse one. Layer by layer the integers are equal
    /// (<see cref="OfConvolutions"/>). Between layers ONNX Runtime fuses the sparse model's global average pool into an integer
    /// operator and computes the packed one's mean in float, so a feature, and with it a logit, may fall to the other side
    /// of a rounding: one step.
    /// </summary>
    /// <param name="logits">
    /// Of the sparse and of the packed network, [images, classes]; asked for exact integers only where the others differ.
    /// </param>
    /// <param name="isExact">
    /// Whether ONNX Runtime's own layers of both networks are the reference's on an image, with exact integers.
    /// </param>
    public static EqualityCheck OfLogits(
        OnnxModel sparse, int images, Func<bool, (float[] Sparse, float[] Packed)> logits, Func<int, bool> isExact)
    {
        float step = OutputStep(sparse);
        bool hasPool = sparse.Nodes.Any(node => node.Is("GlobalAveragePool"));
        var found = new LogitDifference(logits(false), images, step, hasPool ? StepTolerance : EqualTolerance);
        bool asked = !found.IsWithin;
        if (asked)
            found = new LogitDifference(logits(true), images, step, found.Tolerance);
        int[] again = [.. found.ImagesBeyond.Take(ImagesLookedAtAgain)];
        bool skip = again.Length > 0 && !again.Any(isExact);
        string detail = skip ? Inexact
            : $"{images:N0} test images; " + (found.Apart == 0
                ? "no logit differs by a step"
                : $"{found.Apart:N0} of {found.Compared:N0} logits are a step apart" + (hasPool
                    ? "; one is allowed, because ONNX Runtime fuses the average pool before the head into another rounding" : ""))
                + (asked ? "; ONNX Runtime's exact path, as its faster one is off on this CPU" : "");
        return new EqualityCheck(
            "packed int8 (our operators) = sparse int8 QDQ (plain ONNX Runtime), logits in quantization steps",
            skip ? "skipped" : found.Greatest == 0 ? "equal" : found.IsWithin ? "within tolerance" : "different",
            found.Compared, found.Greatest, found.Tolerance, detail);
    }

    /// <summary>The scale of the model's output: what one step of its uint8 logits is worth.</summary>
    private static float OutputStep(OnnxModel model) =>
        model.FindProducer(model.Graph.Outputs[0].Name) is { } node && node.Is("DequantizeLinear")
            ? model.Constant(node.Inputs[1], node).ToFloats()[0]
            : throw new DovetailException(
                $"The int8 model '{model.Graph.Name}' does not end in a DequantizeLinear; expected the QDQ form that Dovetail writes.");

    private static EqualityCheck BytesEqual(string name, IReadOnlyList<(byte[] Expected, byte[] Found)> layers, string detail)
    {
        int greatest = 0;
        foreach ((byte[] expected, byte[] found) in layers)
            for (int i = 0; i < expected.Length; i++)
                greatest = Math.Max(greatest, Math.Abs(expected[i] - found[i]));
        return new EqualityCheck(
            name, greatest == 0 ? "equal" : "different", layers.Sum(layer => (long)layer.Expected.Length), greatest, 0, detail);
    }

    /// <summary>How far two sets of logits are from each other, in quantization steps.</summary>
    private sealed class LogitDifference
    {
        public LogitDifference((float[] Expected, float[] Found) logits, int images, float step, double tolerance)
        {
            (Compared, Tolerance) = (logits.Expected.Length, tolerance);
            int classes = logits.Expected.Length / images;
            for (int i = 0; i < logits.Expected.Length; i++)
            {
                double steps = Math.Abs(logits.Expected[i] - logits.Found[i]) / step;
                Greatest = Math.Max(Greatest, steps);
                Apart += steps > 0.5 ? 1 : 0;
                if (steps > tolerance)
                    ImagesBeyond.Add(i / classes);
            }
        }

        public int Compared { get; }

        public double Tolerance { get; }

        public double Greatest { get; }

        /// <summary>Logits that are half a step or more from each other.</summary>
        public int Apart { get; }

        public SortedSet<int> ImagesBeyond { get; } = [];

        public bool IsWithin => Greatest <= Tolerance;
    }
}
