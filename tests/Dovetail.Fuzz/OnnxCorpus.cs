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
        Branches(),
        Recurrent(),
        Function(),
        Old(),
        Quantized(),
        Sparse(linear: true),
        Sparse(linear: false),
        Packed("2:4", 4, 6),
        Packed("1:2x2/out@strided", 6, 3),
        Packed("1:16", 2, 40),
    ];

    /// <summary>A product in either branch of an If, and one in a loop.</summary>
    private static byte[] Branches()
    {
        NodeProto choose = Node("If", ["c"], "y");
        foreach (string name in (string[])["then_branch", "else_branch"])
        {
            var branch = new GraphProto { Name = name };
            branch.Initializers.Add(Floats($"w_{name}", 6, 4));
            branch.Nodes.Add(Node("MatMul", ["x", $"w_{name}"], $"y_{name}"));
            branch.Outputs.Add(ValueInfoProto.Tensor($"y_{name}", OnnxType.Float, [2, 4]));
            choose.Attributes.Add(new AttributeProto { Name = name, G = branch, Type = AttributeType.Graph });
        }

        return Model([2, 6], [2, 4], [Node("Shape", ["x"], "d"), Node("Gather", ["d", "i"], "n"), Node("Equal", ["n", "i"], "c"), choose],
            [TensorData.Create<long>("i", [1], [1])]);
    }

    private static byte[] Recurrent() => Model([3, 2, 4], [3, 1, 2, 5],
        [
            Node("Slice", ["all", "from", "to", "axes"], "part"), Node("Concat", ["part", "part2"], "w", AttributeProto.Of("axis", 1)),
            Node("LSTM", ["x", "w", "r"], "y", AttributeProto.Of("hidden_size", 5)),
        ],
        [
            Floats("all", 1, 24, 4), Floats("part2", 1, 8, 4), Floats("r", 1, 20, 5), TensorData.Create<long>("from", [1], [0]),
            TensorData.Create<long>("to", [1], [12]), TensorData.Create<long>("axes", [1], [1]),
        ]);

    private static byte[] Function()
    {
        var function = new FunctionProto { Name = "Layer", Domain = "own" };
        function.Inputs.AddRange(["a", "b"]);
        function.Outputs.Add("c");
        function.OpsetImports.Add(new OperatorSetIdProto { Version = 17 });
        function.Nodes.AddRange([Node("MatMul", ["a", "b"], "m"), Node("Relu", ["m"], "c")]);
        NodeProto call = Node("Layer", ["x", "w"], "y");
        call.Domain = "own";
        ModelProto model = Proto([2, 6], [2, 4], [call], [Floats("w", 6, 4)]);
        model.OpsetImports.Add(new OperatorSetIdProto { Domain = "own", Version = 1 });
        model.Functions.Add(function);
        return new OnnxModel(model).ToBytes();
    }

    /// <summary>Of operator set 9, with attributes that became inputs.</summary>
    private static byte[] Old()
    {
        ModelProto model = Proto([1, 3, 8, 8], [1, 4],
            [
                Node("Conv", ["x", "w"], "c", AttributeProto.Of("kernel_shape", [3, 3]), AttributeProto.Of("auto_pad", "SAME_UPPER")),
                Node("Clip", ["c"], "k", AttributeProto.Of("min", 0f), AttributeProto.Of("max", 6f)),
                Node("GlobalAveragePool", ["k"], "g"), Node("Squeeze", ["g"], "s", AttributeProto.Of("axes", [2, 3])),
                Node("Softmax", ["s"], "y"),
            ],
            [Floats("w", 4, 3, 3, 3)]);
        model.OpsetImports[0].Version = 9;
        return new OnnxModel(model).ToBytes();
    }

    private static byte[] Quantized() => Model([2, 6], [2, 4],
        [
            Node("QuantizeLinear", ["x", "xs", "xz"], "xq"), Node("DequantizeLinear", ["xq", "xs", "xz"], "xd"),
            Node("DequantizeLinear", ["w", "ws", "wz"], "wd", AttributeProto.Of("axis", 0)),
            Node("Gemm", ["xd", "wd"], "g", AttributeProto.Of("transB", 1)), Node("QuantizeLinear", ["g", "xs", "xz"], "gq"),
            Node("DequantizeLinear", ["gq", "xs", "xz"], "y"),
        ],
        [
            TensorData.Scalar("xs", 0.1f), TensorData.Scalar("xz", (byte)128), TensorData.Create<sbyte>("w", [4, 6], new sbyte[24]),
            Floats("ws", 4), TensorData.Create<sbyte>("wz", [4], new sbyte[4]),
        ]);

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

    private static byte[] Model(
        Dim[] input, Dim[] output, NodeProto[] nodes, TensorProto[] initializers, params SparseTensorProto[] sparse) =>
        new OnnxModel(Proto(input, output, nodes, initializers, sparse)).ToBytes();

    private static ModelProto Proto(
        Dim[] input, Dim[] output, NodeProto[] nodes, TensorProto[] initializers, params SparseTensorProto[] sparse)
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
        return model;
    }
}
