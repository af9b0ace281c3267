using System.Text;
using Dovetail.Core;
using Dovetail.Core.Operators;
using Dovetail.Core.Patterns;
using Dovetail.Onnx.Layers;
using Dovetail.Onnx.Model;
using Dovetail.Onnx.Passes.Normalize;
using Dovetail.Onnx.Passes.Pack;
using Dovetail.Onnx.Passes.Quantize;
using Dovetail.Onnx.Passes.Unpack;
using Dovetail.Onnx.Pruning;
using Dovetail.Onnx.Shapes;

namespace Dovetail.Fuzz;

/// <summary>The ONNX reader, its shape inference and its initializers, and what a person does with a model: each step takes it or refuses
/// it with a typed exception.</summary>
internal sealed class OnnxTarget : FuzzTarget
{
    private static readonly ComplementaryPattern s_pattern = ComplementaryPattern.Parse("1:2");

    public override string Name => "onnx";

    public override IReadOnlyList<byte[]> Corpus { get; } = OnnxCorpus.Create();

    public override IReadOnlyList<byte[]> Dictionary { get; } =
        [.. ((string[])["Conv", "Gemm", "MatMul", "PackedConv", "ai.dovetail", "pads", "strides", "weight_shape", "pattern",
            "1:256x256/out", "If", "Loop", "LSTM", "Slice", "Reshape", "Squeeze", "Concat", "then_branch",
            "axes", "own", "DequantizeLinear", "value_ints", "sparse_value"]).Select(Encoding.UTF8.GetBytes),
            [0x0A, 0xFF, 0xFF, 0xFF, 0xFF, 0x07], [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01], [0x08, 0x00], [0x0B],
            [0x0C], [0x3A, 0x00]];

    public override long AllocationLimit(int length) => 2048L * length + 4 * 1024 * 1024;

    public override void Read(byte[] input)
    {
        OnnxModel model = OnnxModel.Parse(input);
        foreach (TensorProto tensor in model.Graph.Initializers)
            if (tensor.DataType == OnnxType.Float)
                tensor.ToFloats();
        foreach (NodeProto node in model.Nodes)
            if (node.Domain == OperatorSet.Domain)
                PackedWeights.Read(model, node);
        ShapeInference.Infer(model);
        WeightLayers.FindOthers(model);
        PackedModelReader.Read(model);
        Attempt(() => UnpackingPass.Unpack(model));
        Attempt(() => OperatorSetUpgrade.Apply(model));
        Attempt(() => QuantizationPass.TensorsToCalibrate(model));
        Attempt(() =>
        {
            OnnxModel sparse = PruningPass.Prune(model, s_pattern, new PruningOptions { Head = true }).Model;
            PackingPass.Pack(sparse, s_pattern, new PackingOptions { AllowLarger = true });
        });
    }

    /// <summary>A step may refuse a model that the ones after it take.</summary>
    private static void Attempt(Action step)
    {
        try
        {
            step();
        }
        catch (DovetailException error) when (error.Message.Length is > 0 and < 2000)
        {
            // as it should
        }
    }
}
