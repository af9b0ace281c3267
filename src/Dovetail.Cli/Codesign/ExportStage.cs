using Dovetail.Core.Patterns;
using Dovetail.Onnx.Layers;
using Dovetail.Onnx.Model;
using Dovetail.Onnx.Passes.Pack;
using Dovetail.Onnx.Passes.Quantize;
using Dovetail.Runtime;

namespace Dovetail.Cli.Codesign;

/// <summary>
/// Packs and quantizes the trained networks and writes every model file. Every layer that satisfies the pattern is packed, whether or
/// not it gains here: the result must not depend on a measurement (docs/decisions/0012-cost-model.md).
/// </summary>
internal static class ExportStage
{
    /// <summary>Training images that the ranges of the activations are taken from.</summary>
    private const int CalibrationImages = 512;

    public static ExportedModels Run(
        OnnxModel dense, OnnxModel sparse, ComplementaryPattern pattern, JobImages images, JobFolder folder, int threads,
        Action<string> step, CancellationToken cancellation)
    {
        dense.Save(folder.File(JobFolder.Dense));
        sparse.Save(folder.File(JobFolder.Sparse));
        PackingOptions packing = AsTrained(sparse, pattern);
        PackingResult packed = PackingPass.Pack(sparse, pattern, packing);
        packed.Model.Save(folder.File(JobFolder.Packed));
        SafetensorsExport.Write(packed.Model, folder.File(JobFolder.PackedSafetensors));
        step("fp32");

        float[] calibration = images.Calibration(CalibrationImages);
        OnnxModel denseInt8 = Quantize(dense), sparseInt8 = Quantize(sparse);
        denseInt8.Save(folder.File(JobFolder.DenseInt8));
        sparseInt8.Save(folder.File(JobFolder.SparseInt8));
        PackingResult packedInt8 = PackingPass.Pack(sparseInt8, pattern, packing);
        packedInt8.Model.Save(folder.File(JobFolder.PackedInt8));
        step("int8");
        return new ExportedModels(dense, sparse, packed, denseInt8, sparseInt8, packedInt8);

        static PackingOptions AsTrained(OnnxModel model, ComplementaryPattern pattern)
        {
            IReadOnlyDictionary<string, ComplementaryPattern> declared = LayerPatterns.Find(model)!; // by the training
            string? head = NetworkHead.Find(WeightLayers.Find(model))?.Name;
            return new PackingOptions
            {
                KeepDense = WeightLayers.FindFitting(model, pattern).Where(layer => !declared.ContainsKey(layer.Name))
                    .ToDictionary(
                        layer => layer.Name, layer => layer.Name == head ? NetworkHead.Reason : "it was trained dense"),
            };
        }

        OnnxModel Quantize(OnnxModel model)
        {
            IReadOnlyList<string> tensors = QuantizationPass.TensorsToCalibrate(model);
            IReadOnlyDictionary<string, (float Min, float Max)> ranges = Calibration.Ranges(
                GraphSlicer.WithOutputs(model, tensors).ToBytes(), [.. tensors], calibration, images.Shape, 128, threads: threads,
                cancellation: cancellation);
            return QuantizationPass.Quantize(model, ranges);
        }
    }
}
