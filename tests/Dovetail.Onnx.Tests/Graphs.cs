using Dovetail.Core.Patterns;
using Dovetail.Onnx.Layers;
using Dovetail.Onnx.Model;
using Dovetail.Onnx.Zoo;

namespace Dovetail.Onnx.Tests;

/// <summary>Models for tests: zoo networks as they look after training, and small hand-made graphs.</summary>
internal static class Graphs
{
    /// <summary>A zoo network whose batch norms and biases are not trivial any more.</summary>
    public static OnnxModel Trained(string name, int seed)
    {
        OnnxModel model = ZooModels.Create(name, seed);
        foreach (TensorProto tensor in model.Graph.Initializers.Where(t => t.Dims.Count == 1))
        {
            bool positive = tensor.Name.EndsWith("_var", StringComparison.Ordinal)
                || tensor.Name.EndsWith("norm.weight", StringComparison.Ordinal);
            tensor.Write<float>(
                Oracle.Uniform(seed + tensor.Name.Length, (int)tensor.Dims[0], positive ? 0.5f : -0.3f, positive ? 1.5f : 0.3f));
        }

        return model;
    }

    /// <summary>The same, projected onto a pattern wherever it fits (by magnitude), the head excepted.</summary>
    public static OnnxModel Sparse(string name, int seed, string pattern)
    {
        OnnxModel model = Trained(name, seed);
        Project(model, ComplementaryPattern.Parse(pattern));
        return model;
    }

    public static void Project(OnnxModel model, ComplementaryPattern pattern)
    {
        foreach (WeightLayer layer in WeightLayers.FindFitting(model, pattern).Where(l => l.Name != "head"))
            layer.ProjectOnto(pattern);
    }

    /// <summary>A model of nodes with input "x" and output "y" of the given shapes.</summary>
    public static OnnxModel Of(Dim[] input, Dim[] output, NodeProto[] nodes, TensorProto[] initializers, long opset = 17)
    {
        var graph = new GraphProto { Name = "test" };
        graph.Inputs.Add(ValueInfoProto.Tensor("x", OnnxType.Float, input));
        graph.Outputs.Add(ValueInfoProto.Tensor("y", OnnxType.Float, output));
        graph.Nodes.AddRange(nodes);
        graph.Initializers.AddRange(initializers);
        return new OnnxModel(new ModelProto
        {
            IrVersion = 8,
            Graph = graph,
            OpsetImports = { new OperatorSetIdProto { Version = opset } },
        });
    }

    public static TensorProto Random(string name, int seed, params long[] dims) =>
        TensorData.Create<float>(name, dims, Oracle.Uniform(seed, (int)dims.Aggregate(1L, (a, b) => a * b), -1, 1));

    public static TensorProto Ints(string name, params long[] values) => TensorData.Create<long>(name, [values.Length], values);
}
