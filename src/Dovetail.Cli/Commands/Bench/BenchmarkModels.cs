using Dovetail.Cli.Codesign;
using Dovetail.Core;
using Dovetail.Core.Patterns;
using Dovetail.Onnx.Layers;
using Dovetail.Onnx.Model;
using Dovetail.Onnx.Passes.Pack;
using Dovetail.Onnx.Passes.Unpack;
using Dovetail.Onnx.Pruning;

namespace Dovetail.Cli.Commands.Bench;

/// <summary>The two networks that a benchmark compares.</summary>
/// <param name="Packed">With operators of ai.dovetail.</param>
/// <param name="Dense">The same network in standard operators; its layers have the packed ones' names.</param>
/// <param name="DenseOrigin">Where the dense one comes from, in words.</param>
internal sealed record BenchmarkModels(OnnxModel Packed, OnnxModel Dense, string DenseOrigin)
{
    public const string OnnxRuntime = "onnxruntime", LibTorch = "libtorch";

    /// <summary>True where the dense network computes with integers.</summary>
    public bool DenseIsQuantized => Dense.Nodes.Exists(node => node.OpType is "DequantizeLinear" or "QLinearConv" or "QLinearMatMul" or "MatMulInteger");

    /// <param name="source">A file or zoo:NAME; packed, or dense and then packed here.</param>
    /// <param name="against">onnxruntime, libtorch or a file.</param>
    /// <param name="pattern">For a model that is not packed; weights are projected onto it by magnitude.</param>
    /// <exception cref="DovetailException">The model has no packed layers and no pattern is given, or the two do not belong together.</exception>
    public static BenchmarkModels Load(string source, string against, ComplementaryPattern? pattern, int seed)
    {
        OnnxModel model = ModelSource.Load(source, seed);
        bool isPacked = BenchStage.PackedLayers(model).Count > 0;
        if (!isPacked && pattern is null)
            throw new DovetailException($"'{source}' has no packed layers; expected a model that 'dovetail pack' wrote. Give --pattern to pack it here (weights that break the pattern are dropped: speed alone is measured).");
        if (isPacked && pattern is not null)
            throw new DovetailException($"'{source}' is packed already, and --pattern {pattern} would have no effect; leave it out.");
        OnnxModel packed = isPacked ? model : Pack(model, pattern!);
        if (against is not (OnnxRuntime or LibTorch))
            return Checked(new BenchmarkModels(packed, ModelSource.Load(against, seed), against));
        return isPacked
            ? Checked(new BenchmarkModels(packed, UnpackingPass.Unpack(packed), "the packed network in standard operators, zeros included"))
            : Checked(new BenchmarkModels(packed, model, source));
    }

    /// <summary>A quantized network is packed where it satisfies the pattern; it cannot be pruned.</summary>
    private static OnnxModel Pack(OnnxModel model, ComplementaryPattern pattern) => WeightLayers.Find(model).Any(layer => layer.IsQuantized)
        ? PackingPass.Pack(model, pattern).Model
        : PackingPass.PackDeclared(PruningPass.Prune(model, pattern, new PruningOptions { Head = true }).Model).Model;

    private static BenchmarkModels Checked(BenchmarkModels models)
    {
        BenchStage.CheckLayers(models.Dense, models.Packed);
        return models;
    }
}
