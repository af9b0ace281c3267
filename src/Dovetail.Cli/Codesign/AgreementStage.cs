using Dovetail.Cli.Reports.Results;
using Dovetail.Core.Packing;
using Dovetail.Kernels;
using Dovetail.Kernels.Dispatch;
using Dovetail.Onnx.Layers;
using Dovetail.Onnx.Model;
using Dovetail.Runtime;

namespace Dovetail.Cli.Codesign;

/// <summary>
/// Test accuracy of all six models, and the proofs that the packed ones compute what the sparse ones do:
/// 1. packed fp32 = sparse fp32 in plain ONNX Runtime, logits of every test image, within a tolerance;
/// 2. packed int8 = the scalar reference, bit for bit, and = sparse int8 in plain ONNX Runtime where that is exact
///    (<see cref="IntegerAgreement"/>); by how much ONNX Runtime itself is off is measured beside it;
/// 3. every fp32 kernel that this CPU can run = the scalar reference, each packed layer, within a tolerance.
/// </summary>
internal static class AgreementStage
{
    private const int Batch = 250;

    /// <summary>Of the greatest magnitude: fp32 sums of a thousand products in another order.</summary>
    private const double Float32Tolerance = 2e-5;

    /// <param name="FloatLayers">Layers of that network whose activations stay floating point, which no integer array runs.</param>
    /// <param name="Captured">The packed int8 network's layers with what they read and made of the first test image.</param>
    public sealed record Outcome(
        AccuracyInfo Accuracy, IReadOnlyList<EqualityCheck> Checks, IReadOnlyList<OnnxRuntimeInt8Info> OnnxRuntimeInt8,
        IReadOnlyList<CapturedLayer> Captured, IReadOnlyList<string> FloatLayers);

    public static Outcome Run(
        ExportedModels models, JobImages images, int threads, int seed, Action<string> step, CancellationToken cancellation)
    {
        float[] test = images.Test();
        byte[] labels = images.Data.Test.Labels;
        float[] Logits(OnnxModel model, bool exactIntegers = false)
        {
            using var session = DovetailSession.Create(model.ToBytes(), new DovetailSessionOptions(threads, ExactIntegers: exactIntegers));
            return Evaluation.Logits(session, test, images.Shape, Batch, cancellation: cancellation);
        }

        float[] Named(OnnxModel model, string name)
        {
            float[] logits = Logits(model);
            step(name);
            return logits;
        }

        double Accuracy(float[] logits) => Evaluation.Accuracy(logits, labels);
        float[] sparse = Named(models.Sparse, "sparse"), packed = Named(models.Packed.Model, "packed");
        float[] sparseInt8 = Named(models.SparseInt8, "sparse int8"), packedInt8 = Named(models.PackedInt8.Model, "packed int8");
        var accuracy = new AccuracyInfo(
            Accuracy(Named(models.Dense, "dense")), Accuracy(sparse), Accuracy(packed),
            Accuracy(Named(models.DenseInt8, "dense int8")), Accuracy(sparseInt8), Accuracy(packedInt8));

        OnnxModel packedModel = models.PackedInt8.Model;
        PackedModel sparseLayers = PackedModelReader.Read(models.SparseInt8), packedLayers = PackedModelReader.Read(packedModel);
        IReadOnlyList<CapturedLayer> Capture(OnnxModel model, PackedModel layers, int image) =>
            CapturedLayer.Capture(model, layers, images.TestImage(image), images.Shape);
        IReadOnlyList<CapturedLayer> OfSparse(int image) => Capture(models.SparseInt8, sparseLayers, image);
        IReadOnlyList<CapturedLayer> OfPacked(int image) => Capture(packedModel, packedLayers, image);
        IReadOnlyList<CapturedLayer> captured = OfPacked(0);
        step("layers");
        OnnxRuntimeInt8Info[] onnxRuntime =
        [
            OnnxRuntimeIntegers.Measure("dense int8", models.DenseInt8, images, cancellation),
            OnnxRuntimeIntegers.Measure("sparse int8", models.SparseInt8, images, cancellation),
        ];
        step("ONNX Runtime's own int8");
        return new Outcome(accuracy,
        [
            Compare("packed ONNX (our operators) = sparse ONNX (plain ONNX Runtime), fp32 logits", sparse, packed, Float32Tolerance * 10,
                $"{labels.Length:N0} test images"),
            IntegerAgreement.WithReference(captured),
            IntegerAgreement.OfConvolutions(OfSparse(0), captured),
            IntegerAgreement.OfLogits(
                models.SparseInt8, labels.Length,
                exact => exact ? (Logits(models.SparseInt8, true), Logits(packedModel, true)) : (sparseInt8, packedInt8),
                image => OnnxRuntimeIntegers.AreExact([.. OfSparse(image), .. OfPacked(image)])),
            KernelsEqualReference(PackedModelReader.Read(models.Packed.Model), seed),
        ], onnxRuntime, captured, [.. packedLayers.Layers.Where(layer => layer.Quantization is null).Select(layer => layer.Name)]);
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
            $"every packed layer, random inputs of seed {seed}, kernels {string.Join(", ", kernels)}; differences relative to the "
            + "greatest output");
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
