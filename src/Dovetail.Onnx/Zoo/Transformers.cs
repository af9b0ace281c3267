using Dovetail.Onnx.Model;

namespace Dovetail.Onnx.Zoo;

/// <summary>
/// Transformers in the form in which exporters write them: layer norm before each part, one product for queries, keys and
/// values, GELU as several nodes. Attention itself has no weights.
/// </summary>
internal static class Transformers
{
    /// <summary>ViT-S/16 (Dosovitskiy et al., 2021): "image" [N, 3, size, size] to "logits" [N, 1000].</summary>
    public static OnnxModel VitSmall(int seed, int size, int depth)
    {
        const int patch = 16, channels = 384, classes = 1000;
        if (size % patch != 0)
            throw new OnnxException($"The image size of 'vit-s' is {size}, expected a multiple of {patch}, the size of a patch.");
        int patches = size / patch * (size / patch);
        var block = new Block("vit-s", seed, channels, Heads: 6, Epsilon: 1e-6f, IsCausal: false);
        GraphBuilder graph = block.Graph;
        string image = graph.Input("image", "N", 3, size, size);
        string x = graph.PatchConv("patches", image, 3, channels, patch);
        x = graph.Node("Reshape", "patches.reshape", [x, graph.Constant("patches.shape", 0, channels, patches)]);
        x = graph.Node("Transpose", "patches.transpose", [x], AttributeProto.Of("perm", [0, 2, 1]));
        string batch = graph.Node("Shape", "batch", [image], AttributeProto.Of("start", 0), AttributeProto.Of("end", 1));
        string shape = graph.Node(
            "Concat", "class.shape", [batch, graph.Constant("class.rest", 1, channels)], AttributeProto.Of("axis", 0));
        string token = graph.Node("Expand", "class.expand", [graph.Parameter("class.token", 0.02, 1, 1, channels), shape]);
        x = graph.Node("Concat", "class.concat", [token, x], AttributeProto.Of("axis", 1));
        x = graph.Add("position.add", x, graph.Parameter("position", 0.02, 1, patches + 1, channels));
        for (int i = 0; i < depth; i++)
            x = block.Append($"block{i + 1}", x, tanh: false);
        x = graph.LayerNorm("norm", x, channels, 1e-6f);
        x = graph.Node("Gather", "class", [x, graph.Constant("class.index", 0)], AttributeProto.Of("axis", 1));
        x = graph.Flatten("flatten", x);
        return graph.Build(graph.Gemm("head", x, channels, classes), "logits", "N", classes);
    }

    /// <summary>The blocks of GPT-2 small (Radford et al., 2019): "hidden" [N, T, 768] to "states", without embedding and final
    /// norm.</summary>
    public static OnnxModel Gpt2Small(int seed, int depth)
    {
        const int channels = 768;
        var block = new Block("gpt2-small", seed, channels, Heads: 12, Epsilon: 1e-5f, IsCausal: true);
        GraphBuilder graph = block.Graph;
        string x = graph.Input("hidden", "N", "T", channels);
        // −10,000 where a token would see a later one.
        string tokens = graph.Node("Shape", "tokens", [x], AttributeProto.Of("start", 1), AttributeProto.Of("end", 2));
        string square = graph.Node("Concat", "mask.shape", [tokens, tokens], AttributeProto.Of("axis", 0));
        string full = graph.Node("ConstantOfShape", "mask.full", [square],
            new AttributeProto { Name = "value", T = TensorData.Create<float>("", [1], [-10_000f]), Type = AttributeType.Tensor });
        graph.Node("Trilu", "mask", [full, graph.Integer("mask.diagonal", 1)], AttributeProto.Of("upper", 1));
        for (int i = 0; i < depth; i++)
            x = block.Append($"block{i + 1}", x, tanh: true);
        return graph.Build(x, "states", "N", "T", channels);
    }

    private sealed record Block(GraphBuilder Graph, int Channels, int Heads, float Epsilon, bool IsCausal)
    {
        private readonly string _heads = Graph.Constant("heads.shape", 0, 0, Heads, Channels / Heads);
        private readonly string _joined = Graph.Constant("joined.shape", 0, 0, Channels);
        private readonly string _scale = Graph.Constant("attention.scale", (float)Math.Sqrt(Channels / Heads));
        private readonly string _one = Graph.Constant("one", 1f);
        private readonly string _half = Graph.Constant("half", 0.5f);

        public Block(string name, int seed, int channels, int Heads, float Epsilon, bool IsCausal)
            : this(new GraphBuilder(name, seed), channels, Heads, Epsilon, IsCausal) { }

        public string Append(string name, string x, bool tanh)
        {
            string y = Graph.LayerNorm($"{name}.norm1", x, Channels, Epsilon);
            y = Graph.Linear($"{name}.attention.project", Attention($"{name}.attention", y), Channels, Channels);
            x = Graph.Add($"{name}.attention.residual", x, y);
            y = Graph.LayerNorm($"{name}.norm2", x, Channels, Epsilon);
            y = Graph.Linear($"{name}.mlp.expand", y, Channels, 4 * Channels);
            y = tanh ? GeluTanh($"{name}.mlp.gelu", y) : Gelu($"{name}.mlp.gelu", y);
            y = Graph.Linear($"{name}.mlp.contract", y, 4 * Channels, Channels);
            return Graph.Add($"{name}.mlp.residual", x, y);
        }

        private string Attention(string name, string x)
        {
            string[] parts = Graph.Split($"{name}.split", Graph.Linear($"{name}.qkv", x, Channels, 3 * Channels), axis: 2, parts: 3);
            string q = Turn($"{name}.query", parts[0], 0, 2, 1, 3), k = Turn($"{name}.key", parts[1], 0, 2, 3, 1),
                v = Turn($"{name}.value", parts[2], 0, 2, 1, 3);
            string scores = Graph.Node("Div", $"{name}.scaled", [Graph.Node("MatMul", $"{name}.scores", [q, k]), _scale]);
            if (IsCausal)
                scores = Graph.Add($"{name}.masked", scores, "mask.output");
            string weights = Graph.Node("Softmax", $"{name}.softmax", [scores], AttributeProto.Of("axis", -1));
            string mixed = Graph.Node(
                "Transpose", $"{name}.heads_last", [Graph.Node("MatMul", $"{name}.mixed", [weights, v])],
                AttributeProto.Of("perm", [0, 2, 1, 3]));
            return Graph.Node("Reshape", $"{name}.joined", [mixed, _joined]);
        }

        private string Turn(string name, string x, params long[] order) =>
            Graph.Node("Transpose", $"{name}.transpose", [Graph.Node("Reshape", $"{name}.reshape", [x, _heads])],
                AttributeProto.Of("perm", order));

        private string Gelu(string name, string x)
        {
            string erf = Graph.Node("Erf", $"{name}.erf", [Graph.Node("Div", $"{name}.div", [x, Graph.Shared("gelu.root2", 1.4142135f)])]);
            string product = Graph.Node("Mul", $"{name}.product", [x, Graph.Add($"{name}.plus", erf, _one)]);
            return Graph.Node("Mul", $"{name}.half", [product, _half]);
        }

        private string GeluTanh(string name, string x)
        {
            string cube = Graph.Node(
                "Mul", $"{name}.cubic",
                [Graph.Node("Pow", $"{name}.cube", [x, Graph.Shared("three", 3)]), Graph.Shared("gelu.cubic", 0.044715f)]);
            string inner = Graph.Node("Mul", $"{name}.inner", [Graph.Add($"{name}.sum", x, cube), Graph.Shared("gelu.root", 0.7978846f)]);
            string outer = Graph.Add($"{name}.plus", Graph.Node("Tanh", $"{name}.tanh", [inner]), _one);
            return Graph.Node("Mul", $"{name}.product", [Graph.Node("Mul", $"{name}.half", [x, _half]), outer]);
        }
    }
}
