using Dovetail.Onnx.Model;
using Dovetail.Onnx.Passes.Pack;

namespace Dovetail.Cli.Codesign;

/// <summary>The models of a job, as they stand in its folder.</summary>
internal sealed record ExportedModels(
    OnnxModel Dense, OnnxModel Sparse, PackingResult Packed, OnnxModel DenseInt8, OnnxModel SparseInt8, PackingResult PackedInt8);
