using Dovetail.Cli.Reports.Results;
using Dovetail.Core;
using Dovetail.Core.Packing;
using Dovetail.Kernels;
using Dovetail.Kernels.Dispatch;
using Dovetail.Kernels.Reference;
using Dovetail.Onnx.Layers;
using Dovetail.Onnx.Model;
using Dovetail.Runtime;

namespace Dovetail.Cli.Codesign;

/// <summary>
/// Test accuracy of all six models, and the proofs that the packed ones compute what the sparse ones do:
/// 1. packed fp32 = sparse fp32 in plain ONNX Runtime, logits of every test image, within a tolerance;
/// 2. packed int8 = sparse int8 (QDQ) in plain ONNX Runtime: every convolution bit for bit, the logits of every test
///    image within one quantization step;
/// 3. each int8 operator inside ONNX Runtime = the scalar reference on what was fed to it, bit for bit;
/// 4. every fp32 kernel that this CPU can run = the scalar reference, each packed layer, within a tolerance.
/// </summary>
internal static class AgreementStage
{
    private const int Batch = 250;

    /// <summary>Of the greatest magnitude: fp32 sums of a thousand products in another order.</summary>
    private const double Float32Tolerance = 2e-5;

    /// <summary>One quantization step, and what float division adds to it.</summary>
    private const double StepTolerance = 1.001;

    public sealed record Outcome(AccuracyInfo Accuracy, IReadOnlyList<EqualityCheck> Checks, IReadOnlyList<CapturedLayer> Captured);

    public static Outcome Run(ExportedModels models, JobImages images, int threads, int seed, Action<string> step, CancellationToken cancellation)
    {
        float[] test = images.Test();
        byte[] labels = images.Data.Test.Labels;
        float[] Logits(OnnxModel model, string name)
        {
            using var session = DovetailSession.Create(model.ToBytes(), new DovetailSessionOptions(threads));
            float[] logits = Evaluation.Logits(session, test, images.Shape, Batch, cancellation: cancellation);
            step(name);
            return logits;
        }

        double Accuracy(float[] logits) => Evaluation.Accuracy(logits, labels);
        float[] sparse = Logits(models.Sparse, "sparse"), packed = Logits(models.Packed.Model, "packed");
        float[] sparseInt8 = Logits(models.SparseInt8, "sparse int8"), packedInt8 = Logits(models.PackedInt8.Model, "packed int8");
        var accuracy = new AccuracyInfo(
            Accuracy(Logits(models.Dense, "dense")), Accuracy(sparse), Accuracy(packed),
            Accuracy(Logits(models.DenseInt8, "dense int8")), Accuracy(sparseInt8), Accuracy(packedInt8));

        PackedModel int8Layers = PackedModelReader.Read(models.PackedInt8.Model);
        IReadOnlyList<CapturedLayer> captured = CapturedLayer.Capture(models.PackedInt8.Model, int8Layers, images.TestImage(0), images.Shape);
        step("layers");
        return new Outcome(accuracy,
        [
            Compare("packed ONNX (our operators) = sparse ONNX (plain ONNX Runtime), fp32 logits", sparse, packed, Float32Tolerance * 10, $"{labels.Length:N0} test images"),
            CompareSteps(sparseInt8, packedInt8, models.SparseInt8, labels.Length),
            LayersEqual(
                CapturedLayer.Capture(models.SparseInt8, PackedModelReader.Read(models.SparseInt8), images.TestImage(0), images.Shape), captured),
            OperatorsEqualReference(captured),
            KernelsEqualReference(PackedModelReader.Read(models.Packed.Model), seed),
        ], captured);
    }

    /// <summary>The scale of the model's output: what one step of its uint8 logits is worth.</summary>
    private static float OutputStep(OnnxModel model) =>
        model.FindProducer(model.Graph.Outputs[0].Name) is { } node && node.Is("DequantizeLinear")
            ? model.Constant(node.Inputs[1], node).ToFloats()[0]
            : throw new DovetailException($"The int8 model '{model.Graph.Name}' does not end in a DequantizeLinear; expected the QDQ form that Dovetail writes.");

    /// <summary>
    /// Layer by layer the integers are equal (the check after this one). Between layers ONNX Runtime fuses the sparse
    /// model's global average pool into an integer operator and computes the packed one's mean in float, so a feature,
    /// and with it a logit, may fall to the other side of a rounding: one step.
    /// </summary>
    private static EqualityCheck CompareSteps(float[] expected, float[] found, OnnxModel sparse, int images)
    {
        float step = OutputStep(sparse);
        bool hasPool = sparse.Nodes.Any(node => node.Is("GlobalAveragePool"));
        double tolerance = hasPool ? StepTolerance : 0.001;
        double worst = 0;
        long apart = 0;
        for (int i = 0; i < expected.Length; i++)
        {
            double steps = Math.Abs(expected[i] - found[i]) / step;
            worst = Math.Max(worst, steps);
            if (steps > 0.5)
                apart++;
        }

        return new EqualityCheck(
            "packed int8 (our operators) = sparse int8 QDQ (plain ONNX Runtime), logits in quantization steps",
            worst == 0 ? "equal" : worst <= tolerance ? "within tolerance" : "different", expected.Length, worst, tolerance,
            $"{images:N0} test images; " + (apart == 0
                ? "no logit differs by a step"
                : $"{apart:N0} of {expected.Length:N0} logits are a step apart; one is allowed, because ONNX Runtime fuses the average pool before the head into another rounding"));
    }

    private static EqualityCheck LayersEqual(IReadOnlyList<CapturedLayer> sparse, IReadOnlyList<CapturedLayer> packed)
    {
        var outputs = new List<(byte[] Expected, byte[] Found)>();
        foreach (CapturedLayer layer in packed.Where(layer => layer.Layer.Workload.Convolution is not null))
            if (sparse.FirstOrDefault(other => other.Layer.Name == layer.Layer.Name)?.Output is { } expected && layer.Output is { } found)
                outputs.Add((expected, found));
        const string Name = "int8 convolutions, packed (our operators) = sparse QDQ (plain ONNX Runtime), uint8 outputs";
        return outputs.Count == 0
            ? new EqualityCheck(Name, "skipped", 0, 0, 0, "the network has no convolution")
            : BytesEqual(Name, outputs, $"{outputs.Count} convolutions one after the other, one test image");
    }

    private static EqualityCheck OperatorsEqualReference(IReadOnlyList<CapturedLayer> layers)
    {
        var outputs = new List<(byte[] Expected, byte[] Found)>();
        foreach (CapturedLayer layer in layers)
        {
            if (layer.Output is not { } found)
                continue;
            LayerQuantization quantization = layer.Layer.Quantization!;
            int[] accumulators = QuantizedReference.Accumulate(
                layer.Weights, layer.Input, 1, layer.Geometry, quantization.InputZeroPoint, quantization.Bias);
            outputs.Add((QuantizedReference.Requantize(
                accumulators,
                QuantizedSpecification.ComputeFactors(quantization.InputScale, layer.Weights.Scales, quantization.OutputScale),
                quantization.OutputZeroPoint), found));
        }

        return BytesEqual("int8 layers inside ONNX Runtime = scalar reference, uint8 outputs", outputs, $"{outputs.Count} layers, one test image, packed and dense ones");
    }

    private static EqualityCheck BytesEqual(string name, IReadOnlyList<(byte[] Expected, byte[] Found)> layers, string detail)
    {
        int greatest = 0;
        foreach ((byte[] expected, byte[] found) in layers)
            for (int i = 0; i < expected.Length; i++)
                greatest = Math.Max(greatest, Math.Abs(expected[i] - found[i]));
        return new EqualityCheck(name, greatest == 0 ? "equal" : "different", layers.Sum(layer => (long)layer.Expected.Length), greatest, 0, detail);
    }

    private static EqualityCheck KernelsEqualReference(PackedModel model, int seed)
    {
        var random = new Random(seed);
        var kernels = new HashSet<string>();
        long compared = 0;
        double worst = 0;
        foreach (PackedLayer layer in model.Layers)
        {
            if (layer.Weights is not PackedTensor<float> weights || weights.Pattern.IsDense)
                continue;
            var geometry = layer.Workload.Convolution ?? PreparedLayer.RowsOf(layer.Workload.N);
            var input = new float[geometry.InputHeight * geometry.InputWidth * weights.Shape.Channels * weights.Shape.Groups];
            for (int i = 0; i < input.Length; i++)
                input[i] = random.NextSingle() * 2 - 1;
            var specification = new Float32Specification(weights);
            float[] expected = Run(KernelRegistry.Float32[^1]);
            float scale = expected.Max(MathF.Abs);
            foreach (Kernel<Float32Specification, float> kernel in KernelRegistry.Float32.SkipLast(1)) // the last is the reference itself
            {
                if (!kernel.IsSupported || !kernel.Accepts(weights.Layout))
                    continue;
                float[] found = Run(kernel);
                kernels.Add(kernel.Name);
                compared += found.Length;
                for (int i = 0; i < found.Length; i++)
                    worst = Math.Max(worst, Math.Abs(found[i] - expected[i]) / scale);
            }

            float[] Run(Kernel<Float32Specification, float> kernel)
            {
                using PreparedLayer<float> prepared = kernel.Prepare(specification);
                var output = new float[geometry.OutputPixels * weights.Shape.Outputs];
                prepared.Run(input, 1, geometry, output);
                return output;
            }
        }

        const string Name = "SIMD kernels = scalar reference, fp32";
        if (compared == 0)
            return new EqualityCheck(Name, "skipped", 0, 0, Float32Tolerance, "only the scalar reference runs this pattern on this CPU");
        return new EqualityCheck(
            Name, worst <= Float32Tolerance ? "within tolerance" : "different", compared, worst, Float32Tolerance,
            $"every packed layer, random inputs of seed {seed}, kernels {string.Join(", ", kernels)}; differences relative to the greatest output");
    }

    private static EqualityCheck Compare(string name, float[] expected, float[] found, double tolerance, string detail)
    {
        double scale = expected.Max(MathF.Abs), worst = 0;
        for (int i = 0; i < expected.Length; i++)
            worst = Math.Max(worst, Math.Abs(expected[i] - found[i]) / scale);
        string status = worst == 0 ? "equal" : worst <= tolerance ? "within tolerance" : "different";
        return new EqualityCheck(name, status, expected.Length, worst, tolerance, detail + "; differences relative to the greatest logit");
    }
}
