using System.Diagnostics;
using Dovetail.Core.Operators;
using Dovetail.Fuzz;
using Dovetail.Onnx.Layers;
using Dovetail.Onnx.Model;

namespace Dovetail.Onnx.Tests.Model;

public sealed class FuzzTests
{
    /// <summary>At most three seconds of mutated models: typed exceptions only, bounded allocation, no hang.</summary>
    [Fact]
    public void MutatedModels_AreReadOrRefused()
    {
        var run = new FuzzRun(new OnnxTarget(), seed: 20261123);
        long start = Stopwatch.GetTimestamp();
        FuzzResult result = run.Run(0, 100_000, _ => Stopwatch.GetElapsedTime(start).TotalSeconds < 3);
        Assert.True(
            result.Findings.Count == 0, string.Join('\n', result.Findings.Select(finding => $"input {finding.Index}: {finding.What}")));
        Assert.True(result.Accepted > 0 && result.Refused > 0, $"{result.Accepted} read, {result.Refused} refused: the mutations are too "
            + "weak or too strong");
    }

    [Fact]
    public void WhatMutationsStartFrom_IsReadAndHasLayers() =>
        Assert.All(new OnnxTarget().Corpus, bytes =>
        {
            OnnxModel model = OnnxModel.Parse(bytes);
            Assert.True(PackedWeights.Nodes(model).Any() || WeightLayers.Find(model).Count > 0, model.Nodes[^1].ToString());
        });

    /// <summary>Found by scripts/fuzz.sh 2400000 2: the domain of an operator set was said to take over 256 MB, which were
    /// allocated.</summary>
    [Fact]
    public void ALyingLengthInsideAMessage_IsRefusedBeforeItIsAllocated()
    {
        // ir_version 8; opset_import of 5 bytes whose domain takes 0x10000000
        byte[] model = [0x08, 0x08, 0x42, 0x06, 0x0A, 0x80, 0x80, 0x80, 0x80, 0x01];
        long before = GC.GetAllocatedBytesForCurrentThread();
        var error = Assert.Throws<OnnxException>(() => OnnxModel.Parse(model));
        Assert.StartsWith(
            "The model is not an ONNX model or was cut off: the field at byte 4 takes 268435456 bytes, and 0 are left.", error.Message);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 20);
    }

    [Fact]
    public void MessagesWithoutEnd_AreRefused()
    {
        // graph { node { attribute { g { node … } } } }, 100 times
        byte[] model = [];
        for (int i = 0; i < 100; i++)
            model = Field(6, Field(1, Field(5, model))); // attribute.g ← graph.node ← node.attribute, inside out
        Assert.Contains(
            "lies 64 messages deep", Assert.Throws<OnnxException>(() => OnnxModel.Parse(Field(7, Field(1, Field(5, model))))).Message);

        static byte[] Field(int number, byte[] content)
        {
            var bytes = new List<byte> { (byte)(number << 3 | 2) };
            uint length = (uint)content.Length;
            for (; length >= 0x80; length >>= 7)
                bytes.Add((byte)(length | 0x80));
            return [.. bytes, (byte)length, .. content];
        }
    }

    [Fact]
    public void AChainOfFunctions_DoesNotEndTheProcess()
    {
        const int functions = 30_000;
        var proto = new ModelProto
        {
            IrVersion = 8,
            Graph = new GraphProto { Name = "chain" },
            OpsetImports = { new OperatorSetIdProto { Version = 17 }, new OperatorSetIdProto { Domain = "own", Version = 1 } },
        };
        proto.Graph.Inputs.Add(ValueInfoProto.Tensor("x", OnnxType.Float, [2, 2]));
        proto.Graph.Nodes.Add(new NodeProto("f0", "call", ["x"], ["y"], "own"));
        proto.Graph.Outputs.Add(ValueInfoProto.Tensor("y", OnnxType.Float, [2, 2]));
        for (int i = 0; i < functions; i++)
        {
            var function = new FunctionProto { Name = $"f{i}", Domain = "own" };
            function.Inputs.Add("a");
            function.Outputs.Add("b");
            function.OpsetImports.AddRange(proto.OpsetImports);
            function.Nodes.Add(i == functions - 1
                ? new NodeProto("MatMul", "m", ["a", "a"], ["b"])
                : new NodeProto($"f{i + 1}", "c", ["a"], ["b"], "own"));
            proto.Functions.Add(function);
        }

        byte[] bytes = new OnnxModel(proto).ToBytes();
        Exception? failure = null;
        var small = new Thread(() => failure = Record.Exception(() => WeightLayers.FindOthers(OnnxModel.Parse(bytes))), 256 << 10);
        small.Start();
        small.Join();
        Assert.Null(failure);
    }

    /// <summary>Parts of one constant, each a layer's weights: what is made of it is bounded by what the file holds.</summary>
    [Fact]
    public void ManyPartsOfOneConstant_DoNotMultiplyIt()
    {
        const int rows = 1000, columns = 1000, parts = 200; // 4 MB
        OnnxModel model = Graphs.Of([1, columns], [1, rows], [], [Graphs.Random("w", 1, rows + parts, columns)]);
        for (int i = 0; i < parts; i++)
        {
            model.AddInitializer(TensorData.Create<long>($"from{i}", [1], [i]));
            model.AddInitializer(TensorData.Create<long>($"to{i}", [1], [rows + i]));
            model.Nodes.Add(new NodeProto("Slice", $"s{i}", ["w", $"from{i}", $"to{i}"], [$"p{i}"]));
            model.Nodes.Add(new NodeProto("Gemm", $"g{i}", ["x", $"p{i}"], [i == 0 ? "y" : $"y{i}"]).With("transB", 1));
        }

        for (int i = 1; i < parts; i++)
            model.Graph.Outputs.Add(ValueInfoProto.Tensor($"y{i}", OnnxType.Float, 1, rows));
        byte[] bytes = model.ToBytes();
        Assert.InRange(OnnxModel.Parse(bytes).ByteCount, bytes.Length / 2, bytes.Length * 5L + (64 << 20));
    }

    [Fact]
    public void MessagesInsideFunctions_AreCheckedToo()
    {
        // model → functions → node → attribute → graph → node …, seventy graphs deep
        byte[] message = [];
        for (int depth = 0; depth < 70; depth++)
            message = Field(1, Field(5, Field(6, message)));
        byte[] model =
            [0x08, 8, .. Field(7, [0x12, 1, (byte)'g']), .. Field(8, [0x10, 17]), .. Field(25, Field(7, Field(5, Field(6, message))))];
        Assert.Contains("messages deep", Assert.Throws<OnnxException>(() => OnnxModel.Parse(model)).Message);

        static byte[] Field(int number, byte[] value)
        {
            List<byte> bytes = [];
            foreach (uint part in (uint[])[(uint)number << 3 | 2, (uint)value.Length])
            {
                uint rest = part;
                for (; rest >= 0x80; rest >>= 7)
                    bytes.Add((byte)(rest | 0x80));
                bytes.Add((byte)rest);
            }

            return [.. bytes, .. value];
        }
    }

    [Theory]
    [InlineData(1L << 32, 1, "is [4294967296, 4], expected integers of 1 or more, in 32 bits.")]
    [InlineData(4, 1L << 32 | 1, "is 4294967297, expected an integer of 1 or more, in 32 bits.")]
    public void LargeNumbersInPackedNodes_AreRefused(long outputs, long group, string message)
    {
        var node = new NodeProto("PackedGemm", "n", ["x", "v", "o"], ["y"], OperatorSet.Domain);
        node.Attributes.AddRange(
            [AttributeProto.Of("pattern", "1:4"), AttributeProto.Of("weight_shape", [outputs, 4]), AttributeProto.Of("group", group)]);
        OnnxModel model = Graphs.Of([1, 4], [1, 4], [node], []);
        Assert.EndsWith(message, Assert.Throws<OnnxException>(() => PackedWeights.Read(model, node)).Message);
    }
}
