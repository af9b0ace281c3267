using System.Text.Json;
using Dovetail.Data.Tensors;
using Dovetail.Onnx.Model;
using Dovetail.Onnx.Zoo;
using Dovetail.Runtime;

namespace Dovetail.Cli.Tests.Commands;

/// <summary><c>dovetail run --input</c> as a user calls it, against a session called directly.</summary>
public sealed class RunTests
{
    [Fact]
    public async Task Outputs_are_those_of_the_session()
    {
        using var folder = new TemporaryFolder();
        ZooModels.Create("mlp", seed: 4).Save(folder.File("m.onnx"));
        var random = new Random(9);
        float[] images = [.. Enumerable.Range(0, 3 * 784).Select(_ => (float)random.NextDouble())];
        NpyFile.Write(folder.File("x.npy"), new FileTensor(images, [3, 1, 28, 28]));
        NpyFile.Write(folder.File("one.npy"), new FileTensor(images[..784], [1, 28, 28]));
        await File.WriteAllLinesAsync(folder.File("labels.txt"), Enumerable.Range(0, 10).Select(i => $"class {i}"));
        CliProcess.Outcome run = await CliProcess.RunAsync(
            "run", folder.File("m.onnx"), "--input", $"image={folder.File("x.npy")}", folder.File("one.npy"), "--batch", "2",
            "--output", folder.File("y.npy"), "--output", $"logits={folder.File("y.json")}", "--labels", folder.File("labels.txt"),
            "--json", "-");
        Assert.True(run.ExitCode == 0, run.Error);

        using var session = DovetailSession.Create(folder.File("m.onnx"));
        float[] expected = session.Run([.. images, .. images[..784]], 4, 1, 28, 28);
        FileTensor written = NpyFile.Parse(await File.ReadAllBytesAsync(folder.File("y.npy")), "y.npy");
        Assert.Equal([4, 10], written.Shape);
        foreach ((float e, float found) in expected.Zip((float[])written.Values))
            Assert.Equal(e, found, 1e-5f);
        JsonElement json = JsonDocument.Parse(await File.ReadAllTextAsync(folder.File("y.json"))).RootElement.GetProperty("outputs")
            .GetProperty("logits");
        Assert.Equal((float[])written.Values, json.GetProperty("data").EnumerateArray().Select(value => value.GetSingle()));
        JsonElement top = JsonDocument.Parse(run.Output).RootElement.GetProperty("top");
        Assert.Equal(4, top.GetArrayLength());
        for (int i = 0; i < 4; i++)
        {
            float[] row = expected[(i * 10)..(i * 10 + 10)];
            int best = Array.IndexOf(row, row.Max());
            Assert.Equal((best, $"class {best}"), (top[i][0].GetProperty("class").GetInt32(), top[i][0].GetProperty("label").GetString()));
        }
    }

    public static TheoryData<OnnxType> FileTypes =>
    [
        OnnxType.Float, OnnxType.Double, OnnxType.Float16, OnnxType.UInt8, OnnxType.Int8, OnnxType.UInt16, OnnxType.Int16, OnnxType.UInt32,
        OnnxType.Int32, OnnxType.UInt64, OnnxType.Int64, OnnxType.Bool,
    ];

    [Theory]
    [MemberData(nameof(FileTypes))]
    public async Task Files_hold_every_type_of_number(OnnxType type)
    {
        using var folder = new TemporaryFolder();
        var graph = new GraphProto { Name = "same" };
        graph.Inputs.Add(ValueInfoProto.Tensor("x", type, ["rows", 3]));
        graph.Nodes.Add(new NodeProto("Identity", "same", ["x"], ["y"]));
        graph.Outputs.Add(ValueInfoProto.Tensor("y", type, ["rows", 3]));
        new OnnxModel(new ModelProto { IrVersion = 8, Graph = graph, OpsetImports = { new OperatorSetIdProto { Version = 14 } } })
            .Save(folder.File("m.onnx"));
        Array values = type switch
        {
            OnnxType.Float => new[] { -1.5f, 2, 0, 7, 1e9f, -0f },
            OnnxType.Double => new[] { -1.5, 2, 0, 7, 1e300, 3 },
            OnnxType.Float16 => new[] { (Half)(-1.5f), (Half)2, (Half)0, (Half)7, Half.MaxValue, Half.Epsilon },
            OnnxType.UInt8 => new byte[] { 0, 1, 2, 200, 255, 3 },
            OnnxType.Int8 => new sbyte[] { -128, 1, 2, 127, -1, 3 },
            OnnxType.UInt16 => new ushort[] { 0, 1, 65535, 2, 3, 4 },
            OnnxType.Int16 => new short[] { -32768, 1, 32767, 2, 3, 4 },
            OnnxType.UInt32 => new uint[] { 0, 1, uint.MaxValue, 2, 3, 4 },
            OnnxType.Int32 => new[] { int.MinValue, 1, int.MaxValue, 2, 3, 4 },
            OnnxType.UInt64 => new ulong[] { 0, 1, ulong.MaxValue, 2, 3, 4 },
            OnnxType.Int64 => new[] { long.MinValue, 1, long.MaxValue, 2, 3, 4 },
            _ => new[] { true, false, true, true, false, false },
        };
        NpyFile.Write(folder.File("x.npy"), new FileTensor(values, [2, 3]));
        CliProcess.Outcome run = await CliProcess.RunAsync(
            "run", folder.File("m.onnx"), "--input", folder.File("x.npy"), "--output", folder.File("y.npy"));
        Assert.True(run.ExitCode == 0, run.Error);
        FileTensor written = NpyFile.Parse(await File.ReadAllBytesAsync(folder.File("y.npy")), "y.npy");
        Assert.Equal(values, written.Values);
        Assert.Equal([2, 3], written.Shape);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("-")]
    public async Task An_answer_of_NaN_is_shown_and_written_as_one(string? json)
    {
        using var folder = new TemporaryFolder();
        ZooModels.Create("mlp", seed: 4).Save(folder.File("m.onnx"));
        float[] image = new float[784];
        Array.Fill(image, float.NaN);
        NpyFile.Write(folder.File("x.npy"), new FileTensor(image, [1, 1, 28, 28]));
        string[] arguments = ["run", folder.File("m.onnx"), "--input", folder.File("x.npy"), "--top", "1"];
        CliProcess.Outcome run = await CliProcess.RunAsync(json is null ? arguments : [.. arguments, "--json", json]);
        Assert.True(run.ExitCode == 0, run.Error);
        if (json is null)
            Assert.Contains("NaN", run.Output);
        else
            Assert.Equal("NaN", JsonDocument.Parse(run.Output).RootElement.GetProperty("top")[0][0].GetProperty("value").GetString());
    }

    [Theory]
    [InlineData(new[] { "--input", "x.npy", "--output", "y.txt" }, "expected a file that ends in .npy or .json")]
    [InlineData(new[] { "--input", "x.npy", "--output", "nothing=y.npy" }, "the model has no output 'nothing', expected one of logits")]
    [InlineData(new[] { "--input", "nothing=x.npy" }, "the model has no input 'nothing'; its inputs are 'image', float [any, 1, 28, 28]")]
    [InlineData(new[] { "--input", "absent.npy" }, "'absent.npy' cannot be read")]
    [InlineData(new[] { "--input", "x.npy", "--labels", "absent.txt" }, "The labels file 'absent.txt' cannot be read")]
    [InlineData(new[] { "--output", "y.npy" }, "--output belongs to --input, which is not given")]
    [InlineData(new[] { "--input", "x.npy", "--mean", "a" }, "--mean is 'a', expected numbers")]
    [InlineData(new[] { "--input", "x.npy", "--mean", "0.5" }, "--mean has no effect: it is for bytes that become floats")]
    public async Task Errors_are_one_clear_line(string[] arguments, string says)
    {
        using var folder = new TemporaryFolder();
        ZooModels.Create("mlp", seed: 4).Save(folder.File("m.onnx"));
        NpyFile.Write(folder.File("x.npy"), new FileTensor(new float[784], [1, 1, 28, 28]));
        CliProcess.Outcome run = await CliProcess.RunAsync(["run", "m.onnx", .. arguments], null, folder.Path);
        Assert.NotEqual(0, run.ExitCode);
        Assert.Contains(says, Assert.Single(run.ErrorLines));
        Assert.Equal(["m.onnx", "x.npy"], Directory.EnumerateFiles(folder.Path).Select(Path.GetFileName).Order());
    }

    [Theory]
    [InlineData(new long[] { -1, 3, 224, 224 }, "The model takes 'x', float [any, 3, 224, 224], and the test images of fashion-mnist are "
        + "float [")]
    [InlineData(new long[] { -1, 784 }, "The model takes 'x', float [any, 784], and the test images of fashion-mnist are float [")]
    [InlineData(new long[] { 7, 1, 28, 28 }, "The model takes 'x', float [7, 1, 28, 28], 7 images at once, and there are ")]
    public async Task Test_images_that_do_not_fit_the_model(long[] shape, string says)
    {
        using var folder = new TemporaryFolder();
        WriteIdentity(folder.File("m.onnx"), shape);
        CliProcess.Outcome run = await CliProcess.RunAsync("run", folder.File("m.onnx"));
        Assert.Equal(1, run.ExitCode);
        Assert.Contains(says, Assert.Single(run.ErrorLines));
    }

    [Fact]
    public async Task A_batch_that_the_model_fixes_is_kept()
    {
        using var folder = new TemporaryFolder();
        WriteIdentity(folder.File("m.onnx"), [100, 1, 28, 28]);
        // the class is the brightest pixel's place
        CliProcess.Outcome run = await CliProcess.RunAsync("run", folder.File("m.onnx"), "--json", "-");
        Assert.True(run.ExitCode == 0, run.Error);
        Assert.InRange(JsonDocument.Parse(run.Output).RootElement.GetProperty("accuracy").GetDouble(), 0, 0.1);
    }

    [Fact]
    public async Task A_model_that_was_cut_off_is_told_as_by_the_other_verbs()
    {
        using var folder = new TemporaryFolder();
        byte[] whole = ZooModels.Create("mlp", seed: 4).ToBytes();
        await File.WriteAllBytesAsync(folder.File("m.onnx"), whole[..(whole.Length / 2)]);
        CliProcess.Outcome run = await CliProcess.RunAsync("run", folder.File("m.onnx")), inspect = await CliProcess.RunAsync(
            "inspect", folder.File("m.onnx"));
        Assert.Equal((1, inspect.Error), (run.ExitCode, run.Error));
        Assert.Contains("is not an ONNX model or was cut off", Assert.Single(run.ErrorLines));
    }

    [Fact]
    public async Task Inputs_that_ONNX_Runtime_refuses_stand_beside_what_the_model_takes()
    {
        using var folder = new TemporaryFolder();
        var proto = new ModelProto
        {
            IrVersion = 8,
            Graph = new GraphProto { Name = "sum" },
            OpsetImports = { new OperatorSetIdProto { Version = 17 } },
        };
        foreach (string name in (string[])["a", "b"])
            proto.Graph.Inputs.Add(ValueInfoProto.Tensor(name, OnnxType.Float, "N"));
        proto.Graph.Outputs.Add(ValueInfoProto.Tensor("y", OnnxType.Float, "N"));
        proto.Graph.Nodes.Add(new NodeProto("Add", "add", ["a", "b"], ["y"]));
        new OnnxModel(proto).Save(folder.File("m.onnx"));
        NpyFile.Write(folder.File("a.npy"), new FileTensor(new float[2], [2]));
        NpyFile.Write(folder.File("b.npy"), new FileTensor(new float[3], [3]));
        CliProcess.Outcome run = await CliProcess.RunAsync(["run", "m.onnx", "--input", "a=a.npy", "b=b.npy"], null, folder.Path);
        Assert.Equal(1, run.ExitCode);
        Assert.Contains("The model takes 'a', float [any] and 'b', float [any], and it did not run on 'a', float [2] and 'b', float [3].",
            Assert.Single(run.ErrorLines));
    }

    private static void WriteIdentity(string path, long[] shape)
    {
        var proto = new ModelProto
        {
            IrVersion = 8,
            Graph = new GraphProto { Name = "identity" },
            OpsetImports = { new OperatorSetIdProto { Version = 17 } },
        };
        Dim[] dims = [.. shape.Select(size => size < 0 ? (Dim)"N" : size)];
        proto.Graph.Inputs.Add(ValueInfoProto.Tensor("x", OnnxType.Float, dims));
        proto.Graph.Outputs.Add(ValueInfoProto.Tensor("y", OnnxType.Float, dims));
        proto.Graph.Nodes.Add(new NodeProto("Identity", "identity", ["x"], ["y"]));
        new OnnxModel(proto).Save(path);
    }

    [Fact]
    public async Task Several_inputs_are_told_apart_by_name()
    {
        using var folder = new TemporaryFolder();
        var proto = new ModelProto
        {
            IrVersion = 8,
            Graph = new GraphProto { Name = "difference" },
            OpsetImports = { new OperatorSetIdProto { Version = 17 } },
        };
        foreach (string name in (string[])["a", "b"])
            proto.Graph.Inputs.Add(ValueInfoProto.Tensor(name, OnnxType.Float, 3));
        proto.Graph.Outputs.Add(ValueInfoProto.Tensor("y", OnnxType.Float, 3));
        proto.Graph.Nodes.Add(new NodeProto("Sub", "sub", ["a", "b"], ["y"]));
        new OnnxModel(proto).Save(folder.File("m.onnx"));
        NpyFile.Write(folder.File("a.npy"), new FileTensor(new float[] { 5, 6, 7 }, [3]));
        NpyFile.Write(folder.File("b.npy"), new FileTensor(new float[] { 1, 1, 2 }, [3]));
        await File.WriteAllTextAsync(folder.File("l.txt"), "one\n");
        CliProcess.Outcome run = await CliProcess.RunAsync(
            ["run", "m.onnx", "--input", "b=b.npy", "a=a.npy", "--output", "y.npy"], null, folder.Path);
        Assert.True(run.ExitCode == 0, run.Error);
        byte[] written = await File.ReadAllBytesAsync(folder.File("y.npy"));
        Assert.Equal(new float[] { 4, 5, 5 }, (float[])NpyFile.Parse(written, "y.npy").Values);
        string[] both = ["run", "m.onnx", "--input", "b=b.npy", "a=a.npy"];
        CliProcess.Outcome batched = await CliProcess.RunAsync([.. both, "--batch", "2"], null, folder.Path);
        Assert.Contains("--batch has no effect: the model has 2 inputs", Assert.Single(batched.ErrorLines));
        CliProcess.Outcome labelled = await CliProcess.RunAsync([.. both, "--labels", "l.txt"], null, folder.Path);
        Assert.Contains(
            "--labels: the first output, 'y', is float [3]; expected floating-point [inputs,", Assert.Single(labelled.ErrorLines));
        CliProcess.Outcome unnamed = await CliProcess.RunAsync(["run", "m.onnx", "--input", "a.npy"], null, folder.Path);
        Assert.Contains("the model has 2 inputs", Assert.Single(unnamed.ErrorLines));
        CliProcess.Outcome missing = await CliProcess.RunAsync(["run", "m.onnx", "--input", "a=a.npy"], null, folder.Path);
        Assert.Contains("The input 'b', float [3] has no file; give --input b=FILE", Assert.Single(missing.ErrorLines));
    }
}
