using Dovetail.Core;
using Dovetail.Core.Patterns;
using Dovetail.Onnx.Layers;
using Dovetail.Onnx.Model;
using Dovetail.Onnx.Passes.Pack;
using Dovetail.Onnx.Passes.Quantize;
using Dovetail.Onnx.Passes.Unpack;

namespace Dovetail.Onnx.Tests.Passes;

/// <summary>Whatever a file says, the passes end in a result or in one message for the user.</summary>
public sealed class DamagedModelTests
{
    // The network is so small that packing does not pay.
    private static readonly PackingOptions Larger = new() { AllowLarger = true };

    [Fact]
    public void Passes_over_damaged_models_give_results_or_messages()
    {
        byte[] bytes = SmallNetwork().ToBytes();
        var pattern = ComplementaryPattern.Parse("1:4");
        byte[] packed = PackingPass.Pack(SmallNetwork(), pattern, Larger).Model.ToBytes();
        // Half of the damage goes to single bytes anywhere, half to what names, types and numbers say.
        var random = new Random(11);
        int survived = 0;
        for (int i = 0; i < 1000; i++)
        {
            byte[] damaged = [.. i % 3 == 2 ? packed : bytes];
            for (int j = random.Next(1, 3); j > 0; j--)
                damaged[random.Next(damaged.Length)] = (byte)(random.Next(2) == 0 ? random.Next(256) : random.Next(8));
            Exception? error = Record.Exception(() => Everything(OnnxModel.Parse(damaged), pattern));
            Assert.True(error is null or DovetailException, $"Case {i}: {error}");
            survived += error is null ? 1 : 0;
        }

        Assert.InRange(survived, 1, 999);
    }

    [Fact]
    public void Passes_over_graphs_with_parts_missing_give_results_or_messages()
    {
        var pattern = ComplementaryPattern.Parse("1:4");
        var random = new Random(12);
        for (int i = 0; i < 600; i++)
        {
            OnnxModel model = SmallNetwork();
            if (i % 3 == 2)
                model = PackingPass.Pack(model, pattern, Larger).Model;
            for (int j = random.Next(1, 3); j > 0; j--)
                Remove(model, random);
            Exception? error = Record.Exception(() => Everything(model, pattern));
            Assert.True(error is null or DovetailException, $"Case {i}: {error}");
        }
    }

    private static void Everything(OnnxModel model, ComplementaryPattern pattern)
    {
        model.CheckGraph();
        PackedModelReader.Read(model);
        IReadOnlyList<string> tensors = QuantizationPass.TensorsToCalibrate(model);
        GraphSlicer.WithOutputs(model, tensors);
        OnnxModel quantized = QuantizationPass.Quantize(model, tensors.ToDictionary(t => t, _ => (-1f, 1f)));
        OnnxModel packed = PackingPass.Pack(quantized, pattern, Larger).Model;
        UnpackingPass.Unpack(packed);
        PackedModelReader.Read(packed);
        UnpackingPass.Unpack(PackingPass.Pack(model, pattern, Larger).Model);
    }

    private static void Remove(OnnxModel model, Random random)
    {
        NodeProto node = model.Nodes[random.Next(model.Nodes.Count)];
        switch (random.Next(6))
        {
            case 0 when node.Inputs.Count > 0:
                node.Inputs.RemoveAt(random.Next(node.Inputs.Count));
                break;
            case 1 when node.Attributes.Count > 0:
                node.Attributes.RemoveAt(random.Next(node.Attributes.Count));
                break;
            case 2 when model.Graph.Initializers.Count > 0:
                model.Graph.Initializers.RemoveAt(random.Next(model.Graph.Initializers.Count));
                break;
            case 3 when model.Graph.Initializers.Count > 0:
                TensorProto tensor = model.Graph.Initializers[random.Next(model.Graph.Initializers.Count)];
                if (tensor.Dims.Count > 0)
                    tensor.Dims.RemoveAt(random.Next(tensor.Dims.Count));
                break;
            case 4 when node.Inputs.Count > 0:
                node.Inputs[random.Next(node.Inputs.Count)] = "";
                break;
            default:
                node.Outputs.Clear();
                break;
        }
    }

    private static OnnxModel SmallNetwork()
    {
        OnnxModel model = Graphs.Of(["N", 4, 3, 3], ["N", 3],
        [
            new NodeProto("Conv", "c1", ["x", "w1"], ["a"]).With("pads", [1L, 1, 1, 1]),
            new NodeProto("BatchNormalization", "n", ["a", "one", "one", "one", "one"], ["b"]).With("epsilon", 1e-5f),
            new("Relu", "r", ["b"], ["c"]),
            new NodeProto("Conv", "c2", ["c", "w2", "bias"], ["d"]).With("strides", [1L, 1]).With("kernel_shape", [1L, 1]).With("group", 1),
            new("Add", "add", ["d", "c"], ["e"]),
            new("Clip", "clip", ["e", "zero", "six"], ["f"]),
            new NodeProto("MaxPool", "p", ["f"], ["g"]).With("kernel_shape", [2L, 2]),
            new("GlobalAveragePool", "gap", ["g"], ["h"]),
            new NodeProto("Flatten", "flat", ["h"], ["i"]).With("axis", 1),
            new NodeProto("Gemm", "head", ["i", "w3", "b3"], ["y"]).With("transB", 1).With("alpha", 0.5f),
        ],
        [
            Graphs.Random("w1", 1, 4, 4, 2, 2), Graphs.Random("w2", 2, 4, 4, 1, 1), Graphs.Random("w3", 3, 3, 4),
                Graphs.Random("b3", 4, 1, 3), Graphs.Random("bias", 5, 4),
            TensorData.Create<float>("one", [4], [1f, 1, 1, 1]), TensorData.Scalar("zero", 0f), TensorData.Scalar("six", 6f),
        ]);
        model.FindNode("c1")!.With("pads", [1L, 0, 0, 1]);
        Graphs.Project(model, ComplementaryPattern.Parse("1:4"));
        return model;
    }
}
