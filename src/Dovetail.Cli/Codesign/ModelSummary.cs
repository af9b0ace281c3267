using Dovetail.Cli.Reports.Results;
using Dovetail.Onnx.Layers;
using Dovetail.Onnx.Passes.Pack;

namespace Dovetail.Cli.Codesign;

/// <summary>What the exported models weigh, layer by layer.</summary>
/// <param name="Sparsity">Share of zeros in the layers that were packed.</param>
internal sealed record ModelSummary(ModelInfo Info, double Sparsity, long WeightsDense, long WeightsPacked, long WeightsPackedInt8)
{
    public static ModelSummary Of(string name, ExportedModels models)
    {
        var layers = new List<LayerInfo>();
        long nonZeros = 0, nonZeroMacs = 0, coveredWeights = 0, coveredNonZeros = 0;
        foreach (WeightLayer layer in WeightLayers.Find(models.Sparse))
        {
            LayerPlan fp32 = models.Packed.Layers.Single(report => report.Name == layer.Name);
            LayerPlan int8 = models.PackedInt8.Layers.Single(report => report.Name == layer.Name);
            int count = layer.Shape.Count, nonZero = layer.GetNonZeros().Count(kept => kept);
            nonZeros += nonZero;
            nonZeroMacs += (long)nonZero * layer.Workload.N;
            if (fp32.Pattern is not null)
            {
                coveredWeights += count;
                coveredNonZeros += nonZero;
            }

            layers.Add(new LayerInfo(
                layer.Name, layer.Op, layer.Shape.ToString(), layer.Workload.M, layer.Workload.N, layer.Workload.K,
                fp32.Pattern?.ToString(), fp32.DenseReason, 1 - (double)nonZero / count, fp32.DenseBytes, fp32.PackedBytes,
                int8.PackedBytes));
        }

        return new ModelSummary(
            new ModelInfo(
                name, layers.Sum(layer => (long)layer.M * layer.K), nonZeros,
                layers.Sum(layer => (long)layer.M * layer.N * layer.K), nonZeroMacs, layers),
            1 - (double)coveredNonZeros / coveredWeights,
            Covered(layer => layer.DenseBytes), Covered(layer => layer.PackedBytes), Covered(layer => layer.PackedInt8Bytes));

        long Covered(Func<LayerInfo, long> bytes) => layers.Where(layer => layer.Pattern is not null).Sum(bytes);
    }

    public BytesInfo Bytes(JobFolder folder) => new(
        Size(folder, JobFolder.Dense), Size(folder, JobFolder.Sparse), Size(folder, JobFolder.Packed), Size(folder, JobFolder.DenseInt8),
        Size(folder, JobFolder.PackedInt8),
        Size(folder, JobFolder.PackedSafetensors), WeightsDense, WeightsPacked, WeightsPackedInt8);

    private static long Size(JobFolder folder, string name) => new FileInfo(folder.File(name)).Length;
}
