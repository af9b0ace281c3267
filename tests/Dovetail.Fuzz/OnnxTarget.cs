using System.Text;
using Dovetail.Core.Operators;
using Dovetail.Onnx.Layers;
using Dovetail.Onnx.Model;
using Dovetail.Onnx.Shapes;

namespace Dovetail.Fuzz;

/// <summary>The ONNX reader, its shape inference and its initializers.</summary>
internal sealed class OnnxTarget : FuzzTarget
{
    public override string Name => "onnx";

    public override IReadOnlyList<byte[]> Corpus { get; } = OnnxCorpus.Create();

    public override IReadOnlyList<byte[]> Dictionary { get; } =
        [.. ((string[])["Conv", "Gemm", "MatMul", "PackedConv", "ai.dovetail", "pads", "strides", "weight_shape", "pattern",
            "1:256x256/out"]).Select(Encoding.UTF8.GetBytes),
            [0x0A, 0xFF, 0xFF, 0xFF, 0xFF, 0x07], [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01], [0x08, 0x00], [0x0B],
            [0x0C], [0x3A, 0x00]];

    public override long AllocationLimit(int length) => 256L * length + 512 * 1024;

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
    }
}
