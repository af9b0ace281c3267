using System.Text;
using Dovetail.Core;
using Dovetail.Onnx.Layers;
using Dovetail.Onnx.Model;
using Dovetail.Onnx.Zoo;
using ProtoBuf;

namespace Dovetail.Onnx.Tests.Model;

public sealed class OnnxModelTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("dovetail-onnx-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void A_model_survives_a_round_trip_byte_for_byte()
    {
        byte[] bytes = ZooModels.Create("mlp", 1).ToBytes();
        Assert.Equal(bytes, OnnxModel.Parse(bytes).ToBytes());
    }

    [Fact]
    public void Unknown_fields_survive_a_round_trip()
    {
        OnnxModel model = ZooModels.Create("mlp", 1);
        // Field 100 of the model and of a node: nothing that onnx.proto has today.
        Extensible.AppendValue(model.Proto, 100, "of the model");
        Extensible.AppendValue(model.Nodes[1], 100, "of a node");
        OnnxModel again = OnnxModel.Parse(model.ToBytes());
        Assert.Equal("of the model", Extensible.GetValue<string>(again.Proto, 100));
        Assert.Equal("of a node", Extensible.GetValue<string>(again.Nodes[1], 100));
    }

    [Fact]
    public void Save_and_load_keep_every_weight_and_leave_no_other_file()
    {
        OnnxModel model = ZooModels.Create("fashion-cnn", 2);
        string path = Path.Combine(_folder, "m.onnx");
        model.Save(path);
        Assert.Equal(model.ToBytes(), OnnxModel.Load(path).ToBytes());
        Assert.Single(Directory.GetFiles(_folder));
    }

    [Fact]
    public void External_data_survive_a_round_trip()
    {
        OnnxModel model = ZooModels.Create("mlp", 3);
        byte[] before = model.ToBytes();
        string path = Path.Combine(_folder, "m.onnx");
        model.Save(path, externalDataThresholdBytes: 1000);
        Assert.Equal(before, model.ToBytes());
        Assert.True(new FileInfo(path).Length < 10_000);
        Assert.True(File.Exists(path + ".data"));
        Assert.Equal(before, OnnxModel.Load(path).ToBytes());
        OnnxException error = Assert.Throws<OnnxException>(
            () => OnnxModel.Parse(File.ReadAllBytes(path)).FindInitializer("fc1.weight")!.ToFloats());
        Assert.Contains("load the model by its path", error.Message);
    }

    [Fact]
    public void Weights_inside_branches_may_be_external_too()
    {
        OnnxModel model = WithBranches();
        string path = Path.Combine(_folder, "branches.onnx");
        long bytes = model.Save(path, externalDataThresholdBytes: 0);
        Assert.Equal(new FileInfo(path).Length + new FileInfo(path + ".data").Length, bytes);
        Assert.InRange(new FileInfo(path).Length, 100, 1500);
        OnnxModel read = OnnxModel.Load(path);
        Assert.Equal(bytes, read.SourceBytes);
        Assert.Equal(
            WeightLayers.Find(model).Select(layer => layer.GetWeights()), WeightLayers.Find(read).Select(layer => layer.GetWeights()));
    }

    private static OnnxModel WithBranches()
    {
        var choose = new NodeProto("If", "choose", ["c"], ["y"]);
        foreach (string name in (string[])["then_branch", "else_branch"])
        {
            var branch = new GraphProto { Name = name };
            branch.Initializers.Add(Graphs.Random($"w_{name}", name.Length, 32, 32));
            branch.Nodes.Add(new NodeProto("MatMul", $"m_{name}", ["x", $"w_{name}"], [$"y_{name}"]));
            branch.Outputs.Add(ValueInfoProto.Tensor($"y_{name}", OnnxType.Float, [4, 32]));
            choose.Attributes.Add(new AttributeProto { Name = name, G = branch, Type = AttributeType.Graph });
        }

        return Graphs.Of(
            [4, 32], [4, 32],
            [
                new NodeProto("ReduceSum", "s", ["x"], ["sum"]).With("keepdims", 0),
                new NodeProto("Cast", "b", ["sum"], ["c"]).With("to", 9), choose,
            ],
            []);
    }

    [Theory]
    [InlineData("../secret.data")]
    [InlineData("/etc/passwd")]
    [InlineData("sub/../../secret.data")]
    public void External_data_outside_the_folder_are_refused(string location)
    {
        OnnxModel model = WithExternalData(location, 0);
        string path = Path.Combine(_folder, "m.onnx");
        File.WriteAllBytes(path, model.ToBytes());
        Assert.Contains("outside the model's folder", Assert.Throws<OnnxException>(() => OnnxModel.Load(path)).Message);
    }

    /// <summary>A link may stand for the file, for a folder in its path, or for the model's own folder; it must not lead out.</summary>
    [Theory]
    [InlineData("link to a file inside", "w.data", true)]
    [InlineData("link to a file outside", "w.data", false)]
    [InlineData("link to a link outside", "w.data", false)]
    [InlineData("folder that is a link outside", "sub/w.data", false)]
    [InlineData("folder that is a link inside", "sub/w.data", true)]
    [InlineData("model's folder is a link", "w.data", true)]
    [InlineData("link to itself", "w.data", false)]
    public void Links_must_not_lead_out_of_the_folder(string how, string location, bool read)
    {
        string inside = Directory.CreateDirectory(Path.Combine(_folder, "in")).FullName, outside = Directory.CreateDirectory(
            Path.Combine(_folder, "out")).FullName;
        string data = Directory.CreateDirectory(Path.Combine(inside, "data")).FullName;
        foreach (string folder in new[] { outside, data })
            File.WriteAllBytes(Path.Combine(folder, "w.data"), new byte[16]);
        string models = inside;
        switch (how)
        {
            case "link to a file inside":
                File.CreateSymbolicLink(Path.Combine(inside, "w.data"), Path.Combine("data", "w.data"));
                break;
            case "link to a file outside":
                File.CreateSymbolicLink(Path.Combine(inside, "w.data"), Path.Combine("..", "out", "w.data"));
                break;
            case "link to a link outside":
                File.CreateSymbolicLink(Path.Combine(inside, "other"), Path.Combine(outside, "w.data"));
                File.CreateSymbolicLink(Path.Combine(inside, "w.data"), "other");
                break;
            case "folder that is a link outside":
                Directory.CreateSymbolicLink(Path.Combine(inside, "sub"), outside);
                break;
            case "folder that is a link inside":
                Directory.CreateSymbolicLink(Path.Combine(inside, "sub"), "data");
                break;
            case "link to itself":
                File.CreateSymbolicLink(Path.Combine(inside, "w.data"), "w.data");
                break;
            default:
                File.WriteAllBytes(Path.Combine(inside, "w.data"), new byte[16]);
                models = Path.Combine(_folder, "alias");
                Directory.CreateSymbolicLink(models, inside);
                break;
        }

        string path = Path.Combine(models, "m.onnx");
        File.WriteAllBytes(path, WithExternalData(location, 0).ToBytes());
        if (read)
            Assert.Equal(new float[4], OnnxModel.Load(path).Graph.Initializers[0].ToFloats());
        else
            Assert.Contains(
                how == "link to itself"
                    ? "cannot be read"
                    : $"has its data in '{location}', a link to '{Path.Combine(outside, "w.data")}' outside the model's folder",
                Assert.Throws<OnnxException>(() => OnnxModel.Load(path)).Message);
    }

    [Fact]
    public void External_data_that_end_early_are_refused()
    {
        string path = Path.Combine(_folder, "m.onnx");
        File.WriteAllBytes(path, WithExternalData("w.data", 8).ToBytes());
        File.WriteAllBytes(Path.Combine(_folder, "w.data"), new byte[20]);
        Assert.Contains("has only 20", Assert.Throws<OnnxException>(() => OnnxModel.Load(path)).Message);
        File.Delete(Path.Combine(_folder, "w.data"));
        Assert.Contains("cannot be read", Assert.Throws<OnnxException>(() => OnnxModel.Load(path)).Message);
    }

    [Fact]
    public void An_external_tensor_of_more_than_an_array_holds_is_refused()
    {
        string path = Path.Combine(_folder, "m.onnx");
        OnnxModel model = SmallModel();
        model.Graph.Initializers[0] = model.Graph.Initializers[0].WithExternalData("w.data", 0, 4 * 600_000_000L);
        model.Graph.Initializers[0].Dims.Clear();
        model.Graph.Initializers[0].Dims.AddRange([600_000_000]);
        File.WriteAllBytes(path, model.ToBytes());
        Assert.Contains("takes 2400000000 bytes", Assert.Throws<OnnxException>(() => OnnxModel.Load(path)).Message);
    }

    [Fact]
    public void Files_that_are_not_ONNX_get_one_clear_message()
    {
        byte[] onnx = ZooModels.Create("mlp", 1).ToBytes();
        var files = new Dictionary<string, byte[]>
        {
            ["empty"] = [],
            ["text"] = Encoding.UTF8.GetBytes("Hello, this is a text and no model at all.\n"),
            ["json"] = Encoding.UTF8.GetBytes("{\"a\": [1, 2, 3]}"),
            ["zeros"] = new byte[100],
            ["png"] = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13, 0x49, 0x48, 0x44, 0x52],
            ["half"] = onnx[..(onnx.Length / 2)],
            ["head"] = onnx[..20],
            ["inner damage"] = Damage(onnx),
        };
        foreach ((string name, byte[] bytes) in files)
        {
            string path = Path.Combine(_folder, name);
            File.WriteAllBytes(path, bytes);
            OnnxException error = Assert.Throws<OnnxException>(() => OnnxModel.Load(path));
            Assert.Contains(name, error.Message);
            Assert.Contains("expected an ONNX model|is not an ONNX model".Split('|'), part => error.Message.Contains(part));
            Assert.DoesNotContain('\n', error.Message);
        }

        Assert.Contains("is a folder", Assert.Throws<OnnxException>(() => OnnxModel.Load(_folder)).Message);
        Assert.Contains("no file", Assert.Throws<OnnxException>(() => OnnxModel.Load(Path.Combine(_folder, "none"))).Message);
    }

    [Fact]
    public void Every_cut_of_a_small_model_is_refused_or_whole()
    {
        OnnxModel model = SmallModel();
        byte[] bytes = model.ToBytes();
        for (int length = 0; length < bytes.Length; length++)
        {
            byte[] cut = bytes[..length];
            OnnxModel? read = null;
            Exception? error = Record.Exception(() => read = OnnxModel.Parse(cut));
            if (error is not null)
                Assert.IsType<OnnxException>(error);
            else
                Assert.Equal(cut, read!.ToBytes());
        }
    }

    [Fact]
    public void Random_damage_gives_a_model_or_an_OnnxException()
    {
        byte[] bytes = SmallModel().ToBytes();
        var random = new Random(5);
        for (int i = 0; i < 3000; i++)
        {
            byte[] damaged = [.. bytes];
            for (int j = random.Next(1, 4); j > 0; j--)
                damaged[random.Next(damaged.Length)] = (byte)random.Next(256);
            Exception? error = Record.Exception(() => OnnxModel.Parse(damaged).CheckGraph());
            Assert.True(error is null or OnnxException, $"Case {i}: {error}");
        }
    }

    [Fact]
    public void An_unwritable_path_is_named()
    {
        DovetailException error = Assert.Throws<DovetailException>(() => SmallModel().Save(Path.Combine(_folder, "no", "such", "m.onnx")));
        Assert.Contains("Cannot write", error.Message);
    }

    [Fact]
    public void The_graph_check_names_node_and_tensor()
    {
        OnnxModel model = ZooModels.Create("mlp", 1);
        model.CheckGraph();
        (model.Nodes[1], model.Nodes[2]) = (model.Nodes[2], model.Nodes[1]);
        Assert.Contains("Relu 'fc1.relu' reads 'fc1.output'", Assert.Throws<OnnxException>(model.CheckGraph).Message);
        model.Nodes.RemoveAt(2);
        Assert.Contains("nothing makes", Assert.Throws<OnnxException>(model.CheckGraph).Message);
    }

    [Fact]
    public void Nodes_without_names_get_unique_ones()
    {
        OnnxModel model = ZooModels.Create("mlp", 1);
        foreach (NodeProto node in model.Nodes)
            node.Name = "";
        model.NameNodes();
        Assert.Equal(model.Nodes.Count, model.Nodes.Select(n => n.Name).Distinct().Count());
        Assert.DoesNotContain("", model.Nodes.Select(n => n.Name));
    }

    private static byte[] Damage(byte[] onnx)
    {
        // The graph's length stays right, a length inside it does not.
        byte[] damaged = [.. onnx];
        int at = onnx.AsSpan().IndexOf("flatten"u8) - 1;
        damaged[at] = 0xff;
        damaged[at + 1] = 0xff;
        damaged[at + 2] = 0x7f;
        return damaged;
    }

    private static OnnxModel SmallModel()
    {
        OnnxModel model = ZooModels.Create("mlp", 1);
        foreach (TensorProto tensor in model.Graph.Initializers)
        {
            tensor.Dims.Clear();
            tensor.Dims.Add(2);
            tensor.Write<float>([1, 2]);
        }

        return model;
    }

    private static OnnxModel WithExternalData(string location, int offset)
    {
        OnnxModel model = SmallModel();
        TensorProto tensor = model.Graph.Initializers[0];
        tensor.Dims[0] = 4;
        model.Graph.Initializers[0] = tensor.WithExternalData(location, offset, 16);
        return model;
    }
}
