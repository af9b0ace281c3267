using Dovetail.Onnx.Model;
using Dovetail.Tests.Kernels;

namespace Dovetail.Runtime.Tests;

/// <summary>Small models around layers, with input "x" and output "y".</summary>
internal static class LayerGraphs
{
    public static ModelProto Build(
        long[] input, int opset, IEnumerable<NodeProto> nodes, IEnumerable<TensorProto> constants, OnnxType type = OnnxType.Float)
    {
        var graph = new GraphProto { Name = "test" };
        graph.Inputs.Add(ValueInfoProto.Tensor("x", type, [.. input.Select(d => (Dim)d)]));
        graph.Outputs.Add(new ValueInfoProto
        {
            Name = "y",
            Type = new TypeProto { Tensor = new TensorTypeProto { ElementType = type } },
        });
        graph.Nodes.AddRange(nodes);
        graph.Initializers.AddRange(constants);
        return new ModelProto { IrVersion = 8, Graph = graph, OpsetImports = { new OperatorSetIdProto { Version = opset } } };
    }

    /// <param name="inputs">Names with blanks between them.</param>
    /// <param name="name">Null: as the output.</param>
    public static NodeProto N(string op, string inputs, string output = "y", string? name = null) =>
        new(op, name ?? output, inputs.Split(' '), [output]);

    public static TensorProto Random(string name, params long[] dims) =>
        TensorData.Create<float>(name, dims, RandomLayer.Floats((int)dims.Aggregate(1L, (a, b) => a * b), new Random(name[0])));

    public static void AssertClose(float[] expected, float[] actual)
    {
        float largest = expected.Max(MathF.Abs);
        Assert.Equal(expected.Length, actual.Length);
        for (int i = 0; i < expected.Length; i++)
            Assert.True(Math.Abs(expected[i] - actual[i]) <= 1e-5f * largest, $"element {i}: {actual[i]}, expected {expected[i]}");
    }
}
