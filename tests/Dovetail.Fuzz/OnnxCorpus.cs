using Dovetail.Core.Operators;
using Dovetail.Core.Packing;
using Dovetail.Core.Patterns;
using Dovetail.Onnx.Model;

namespace Dovetail.Fuzz;

/// <summary>Small ONNX models: a convolution with its companions, a matrix product, a packed layer.</summary>
internal static class OnnxCorpus
{
    public static byte[][] Create() =>
    [
        Model([1, 3, 8, 8], [1, 4, 4, 4],
            [
                Node("Conv", ["x", "w", "b"], "c", AttributeProto.Of("kernel_shape", [3, 3]), AttributeProto.Of("pads", [1, 1, 1, 1]),
                    AttributeProto.Of("strides", [1, 1])),
                Node("Relu", ["c"], "r"),
                Node("MaxPool", ["r"], "y", AttributeProto.Of("kernel_shape", [2, 2]), AttributeProto.Of("strides", [2, 2])),
            ],
            [Floats("w", 4, 3, 3, 3), Floats("b", 4)]),
        Model([2, 6], [2, 4],
            [Node("Flatten", ["x"], "f", AttributeProto.Of("axis", 1)), Node("Gemm", ["f", "w", "b"], "y", AttributeProto.Of("transB", 1))],
            [Floats("w", 4, 6), Floats("b", 4)]),
        Sparse(linear: true),
        Sparse(linear: false),
        Packed("2:4", 4, 6),
        Packed("1:2x2/out@strided", 6, 3),
        Packed("1:16", 2, 40),
    ];

    private static byte[] Sparse(bool linear)
    {
        var sparse = new SparseTensorProto
        {
            Values = TensorData.Create<float>("w", [2], [1, -2]),
            Indices = linear ? TensorData.Create<long>("", [2], [3, 23]) : TensorData.Create<long>("", [2, 2], [0, 3, 3, 5]),
        };
        sparse.Dims.AddRange([4, 6]);
        return Model([2, 6], [2, 4], [Node("Gemm", ["x", "w"], "y", AttributeProto.Of("transB", 1))], [], sparse);
    }

    private static byte[] Packed(string pattern, int outputs, int inputs)
    {
        var layout = new CellLayout(ComplementaryPattern.Parse(pattern), WeightShape.Matrix(outputs, inputs));
        PackedTensor<float> packed = Packer.Pack<float>(new float[layout.Shape.Count], layout);
        NodeProto node = Node(
            "PackedGemm", ["x", "values", "owners"], "y", AttributeProto.Of("pattern", pattern),
            AttributeProto.Of("weight_shape", [outputs, inputs]));
        node.Domain = OperatorSet.Domain;
        byte[] owners = packed.EncodeOwners();
        return Model([2, inputs], [2, outputs], [node],
            [
                TensorData.Create<float>("values", [layout.ValueRows, layout.ValueColumns], packed.Values),
                TensorData.Create<byte>("owners", [layout.OwnerRows, owners.Length / layout.OwnerRows], owners),
            ]);
    }

    private static NodeProto Node(string type, string[] inputs, string output, params AttributeProto[] attributes)
    {
        var node = new NodeProto { OpType = type, Name = output };
        node.Inputs.AddRange(inputs);
        node.Outputs.Add(output);
        node.Attributes.AddRange(attributes);
        return node;
    }

    private static TensorProto Floats(string name, params long[] dims) =>
        TensorData.Create<float>(name, dims, [.. Enumerable.Range(0, (int)dims.Aggregate(1L, (a, b) => a * b)).Select(i => i * 0.25f)]);

    private static byte[] Model(Dim[] input, Dim[] output, NodeProto[] nodes, TensorProto[] initializers, params SparseTensorProto[] sparse)
    {
        var graph = new GraphProto { Name = "seed" };
        graph.Inputs.Add(ValueInfoProto.Tensor("x", OnnxType.Float, input));
        graph.Outputs.Add(ValueInfoProto.Tensor("y", OnnxType.Float, output));
        graph.Nodes.AddRange(nodes);
        graph.Initializers.AddRange(initializers);
        graph.SparseInitializers.AddRange(sparse);
        var model = new ModelProto { IrVersion = 8, Graph = graph };
        model.OpsetImports.Add(new OperatorSetIdProto { Version = 17 });
        model.OpsetImports.Add(new OperatorSetIdProto { Domain = OperatorSet.Domain, Version = 1 });
        return new OnnxModel(model).ToBytes();
    }
}
