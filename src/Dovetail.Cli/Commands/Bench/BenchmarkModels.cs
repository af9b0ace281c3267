using Dovetail.Benchmarking;
using Dovetail.Cli.Codesign;
using Dovetail.Core;
using Dovetail.Core.Patterns;
using Dovetail.Onnx.Layers;
using Dovetail.Onnx.Model;
using Dovetail.Onnx.Passes.Pack;
using Dovetail.Onnx.Pruning;

namespace Dovetail.Cli.Commands.Bench;

/// <summary>The two networks that a benchmark compares.</summary>
/// <param name="DenseOrigin">Where the dense one comes from, in words.</param>
internal sealed record BenchmarkModels(NetworkPair Pair, string DenseOrigin)
{
    public const string OnnxRuntime = "onnxruntime", LibTorch = "libtorch";

    /// <param name="source">A file or zoo:NAME; packed, or dense and then packed here.</param>
    /// <param name="against">onnxruntime, libtorch or a file.</param>
    /// <param name="pattern">For a model that is not packed; weights are projected onto it by magnitude.</param>
    /// <param name="sizes">Of dimensions that the models leave open, by name.</param>
    /// <exception cref="DovetailException">The model has no packed layers and no pattern is given, or the two do not belong
    /// together.</exception>
    public static BenchmarkModels Load(
        string source, string against, ComplementaryPattern? pattern, IReadOnlyDictionary<string, long> sizes, int seed)
    {
        OnnxModel model = Open(source, sizes, seed);
        bool isPacked = PackedWeights.Nodes(model).Any();
        if (!isPacked && pattern is null)
            throw new DovetailException($"'{source}' has no packed layers; expected a model that 'dovetail pack' wrote. Give --pattern to "
                + "pack it here (weights that break the pattern are dropped: speed alone is measured).");
        if (isPacked && pattern is not null)
            throw new DovetailException($"'{source}' is packed already, and --pattern {pattern} would have no effect; leave it out.");
        OnnxModel packed = isPacked ? model : Pack(model, sizes, pattern!);
        return against is not (OnnxRuntime or LibTorch)
            ? new BenchmarkModels(new NetworkPair(packed, Open(against, sizes, seed), sizes), against)
            : isPacked
                ? new BenchmarkModels(
                    new NetworkPair(packed, sizes: sizes), "the packed network in standard operators, zeros included")
            : new BenchmarkModels(new NetworkPair(packed, model, sizes), source);
    }

    /// <summary>Its dimensions stay open where they are: the networks are fed tensors of the given sizes.</summary>
    private static OnnxModel Open(string source, IReadOnlyDictionary<string, long> sizes, int seed)
    {
        OnnxModel model = ModelSource.Load(source, seed);
        OnnxModel sized = DimensionOption.Apply(model, sizes, source);
        DimensionOption.CheckNoneIsOpen(sized, source);
        return model;
    }

    private static OnnxModel Pack(OnnxModel model, IReadOnlyDictionary<string, long> sizes, ComplementaryPattern pattern)
    {
        if (sizes.Count == 0)
            return Pack(model, pattern);
        OnnxModel packed = Pack(GraphSlicer.WithDimensions(model, sizes), pattern);
        return GraphSlicer.WithInterfaceOf(packed, model);
    }

    /// <summary>A quantized network is packed where it satisfies the pattern; it cannot be pruned.</summary>
    private static OnnxModel Pack(OnnxModel model, ComplementaryPattern pattern) => WeightLayers.Find(model).Any(layer => layer.IsQuantized)
        ? PackingPass.Pack(model, pattern).Model
        : PackingPass.PackDeclared(PruningPass.Prune(model, pattern, new PruningOptions { Head = true }).Model).Model;
}
