using System.Diagnostics;
using System.Runtime.Intrinsics.X86;
using System.Text.Json;
using Dovetail.Cli.Reports.Results;
using Dovetail.Core.Packing;
using Dovetail.Core.Safetensors;
using Dovetail.Onnx.Layers;
using Dovetail.Onnx.Model;

namespace Dovetail.Cli.Tests.Codesign;

/// <summary>The whole job as a user runs it, on few images. Every execution has to agree with every other.</summary>
public sealed class CodesignTests
{
    [Theory]
    [InlineData("zoo:fashion-cnn", "1:16")]
    [InlineData("zoo:mlp", "2:32")]
    public async Task The_whole_job(string model, string pattern)
    {
        using var folder = new TemporaryFolder();
        SmallImages.Write(folder.File("data"));
        CliProcess.Outcome outcome = await CliProcess.RunAsync(
            ["codesign", "--model", model, "--pattern", pattern, .. Quick(folder, epochs: 6), "--json", "-"], null, folder.Path);
        Assert.True(outcome.ExitCode == 0, outcome.Error);

        CodesignResult result = ResultJson.Read(folder.File("out/result.json"));
        Assert.Equal(await File.ReadAllTextAsync(folder.File("out/result.json")), outcome.Output); // and nothing else on standard output
        Assert.All(result.Equality, check => Assert.Contains(
            check.Status, (string[])["equal", "within tolerance", .. model == "zoo:mlp" ? ["skipped"] : Array.Empty<string>()]));
        Assert.All(result.Equality, check => Assert.True(check.Compared > 0 || check.Status == "skipped", check.Name));
        Assert.Equal(["dense int8", "sparse int8"], result.OnnxRuntimeInt8.Select(network => network.Network));
        Assert.All(result.OnnxRuntimeInt8, network => Assert.True(
            network.Values > 0 && (network.DifferingShare == 0) == (network.MaxDifferenceSteps == 0)
                && (network.DifferingShare == 0 || !HasVnni), $"{network}"));
        Assert.Equal("equal", result.Rtl.Status);
        Assert.Equal(SmallImages.TestCount, result.Data.TestImages);
        Assert.Equal(result.Accuracy.Complementary, result.Accuracy.Packed);
        Assert.True(result.Accuracy.Dense > 0.3, $"The dense network learned nothing: {result.Accuracy.Dense}."); // chance is 0.1
        Assert.True(result.Accelerator.Utilization <= 1 && result.Accelerator.DenseUtilization <= 1);
        Assert.True(result.Accelerator.ComplementaryCycles < result.Accelerator.DenseCycles);
        Assert.True(result.Bytes.Packed * 5 < result.Bytes.Dense);
        foreach (OutputFile file in result.Files)
            Assert.Equal(file.Bytes, new FileInfo(folder.File($"out/{file.Name}")).Length);
        Assert.StartsWith("<!DOCTYPE html>", await File.ReadAllTextAsync(folder.File("out/report.html")));

        // The packed weights are the sparse network's, in both files.
        PackedModel packed = PackedModelReader.Read(OnnxModel.Load(folder.File("out/packed.onnx")));
        SortedDictionary<string, PackedTensor> safetensors = PackedSafetensors.Read(
            folder.File("out/packed.safetensors"), verifyPayload: true);
        PackedLayer[] layers = [.. packed.Layers.Where(layer => !layer.Weights.Pattern.IsDense)];
        Assert.NotEmpty(layers);
        Assert.Equal(layers.Select(layer => layer.Name).Order(StringComparer.Ordinal), safetensors.Keys);
        foreach (PackedLayer layer in layers)
            Assert.Equal(layer.Weights.ValueBytes, safetensors[layer.Name].ValueBytes);
    }

    [Fact]
    public async Task Without_Verilator_the_report_says_so_and_the_job_succeeds()
    {
        using var folder = new TemporaryFolder();
        SmallImages.Write(folder.File("data"));
        CliProcess.Outcome outcome = await CliProcess.RunAsync(
            ["codesign", "--model", "zoo:mlp", .. Quick(folder)],
            new Dictionary<string, string?> { ["DOVETAIL_VERILATOR"] = folder.File("no-verilator") }, folder.Path);
        Assert.True(outcome.ExitCode == 0, outcome.Error);
        CodesignResult result = ResultJson.Read(folder.File("out/result.json"));
        Assert.Equal("skipped", result.Rtl.Status);
        Assert.Contains("verilator", result.Rtl.Reason, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("skipped", await File.ReadAllTextAsync(folder.File("out/report.html")));
    }

    [Fact]
    public async Task Ctrl_C_leaves_a_checkpoint_and_a_usable_model_and_resume_goes_on()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Signals are sent with kill.");
        using var folder = new TemporaryFolder();
        SmallImages.Write(folder.File("data"));
        string[] arguments = ["codesign", "--model", "zoo:mlp", .. Quick(folder, epochs: 400)];
        using Process process = Process.Start(CliProcess.StartInfo(arguments, folder: folder.Path).Interruptible())!;
        process.StandardInput.Close();
        Task<string> error = process.StandardError.ReadToEndAsync();
        for (string? line = ""; line is not null && !line.Contains("Train dense");)
            line = await process.StandardOutput.ReadLineAsync();
        Task<string> rest = process.StandardOutput.ReadToEndAsync();
        using (Process kill = Process.Start("kill", ["-INT", $"{process.Id}"]))
            await kill.WaitForExitAsync();
        await process.WaitForExitAsync();
        await rest;

        Assert.Equal(CommandLine.Interrupted, process.ExitCode);
        Assert.Contains("--resume", Assert.Single((await error).Split('\n', StringSplitOptions.RemoveEmptyEntries)));
        Assert.True(File.Exists(folder.File("out/dense.checkpoint")));
        Assert.Empty(Directory.EnumerateFiles(folder.File("out"), "*.tmp"));
        CliProcess.Outcome run = await CliProcess.RunAsync("run", folder.File("out/dense.onnx"), "--data", folder.File("data"));
        Assert.True(run.ExitCode == 0, run.Error);

        // Other options do not fit the checkpoint, and the message says so; the checkpoint stays.
        CliProcess.Outcome other = await CliProcess.RunAsync(
            ["codesign", "--model", "zoo:mlp", .. Quick(folder, epochs: 3), "--resume"], null, folder.Path);
        Assert.NotEqual(0, other.ExitCode);
        Assert.Contains("checkpoint", Assert.Single(other.ErrorLines));
        Assert.True(File.Exists(folder.File("out/dense.checkpoint")));

        CliProcess.Outcome resumed = await CliProcess.RunAsync([.. arguments, "--resume"], null, folder.Path);
        Assert.True(resumed.ExitCode == 0, resumed.Error);
        CodesignResult result = ResultJson.Read(folder.File("out/result.json"));
        Assert.Equal(400, result.Training.Dense.History.Count);
        Assert.Equal(400, result.Training.Complementary.History.Count);
    }

    [Fact]
    public async Task Resume_of_a_finished_training_changes_nothing()
    {
        using var folder = new TemporaryFolder();
        SmallImages.Write(folder.File("data"));
        string[] train = ["train", "--model", "zoo:mlp", "--data", folder.File("data"), "--method", "dense", "--epochs", "2", "--threads",
            "1", "--out", folder.File("model.onnx"), "--csv", folder.File("runs.csv"), "--json", folder.File("train.json")];
        CliProcess.Outcome first = await CliProcess.RunAsync(train);
        Assert.True(first.ExitCode == 0, first.Error);
        byte[] model = await File.ReadAllBytesAsync(folder.File("model.onnx"));
        CliProcess.Outcome again = await CliProcess.RunAsync([.. train, "--resume"]); // nothing is left to do
        Assert.True(again.ExitCode == 0, again.Error);
        Assert.Equal(model, await File.ReadAllBytesAsync(folder.File("model.onnx")));

        CliProcess.Outcome tested = await CliProcess.RunAsync([.. train, "--resume", "--test"]);
        Assert.True(tested.ExitCode == 0, tested.Error);
        Assert.Equal(model, await File.ReadAllBytesAsync(folder.File("model.onnx")));

        // The test images are looked at where that was asked for, and there alone.
        string[] rows = await File.ReadAllLinesAsync(folder.File("runs.csv"));
        Assert.Equal(
            "network,data,method,pattern,sparsity,seed,epochs,validation_accuracy,test_accuracy,seconds_per_epoch,command,commit", rows[0]);
        Assert.Equal(4, rows.Length);
        Assert.All(rows[1..], row => Assert.StartsWith("zoo:mlp,data,dense,1:1,0,1,2,0.", row));
        Assert.Equal([true, true, false], rows[1..].Select(row => row.Split(',')[8] == ""));
        Assert.DoesNotContain("test accuracy", first.Output);
        Assert.Contains("test accuracy", tested.Output);

        // What is learned is reported by name.
        string[] names = ["fc1.weight", "fc1.bias", "fc2.weight", "fc2.bias", "head.weight", "head.bias"];
        Assert.Contains($"values): {string.Join(", ", names)}", first.Output);
        using JsonDocument json = JsonDocument.Parse(await File.ReadAllTextAsync(folder.File("train.json")));
        Assert.Equal("dense", json.RootElement.GetProperty("method").GetString());
        Assert.Equal(rows[3].Split(',')[8], json.RootElement.GetProperty("test_accuracy").GetRawText());
        JsonElement[] tensors = [.. json.RootElement.GetProperty("tensors").EnumerateArray()];
        Assert.Equal(names, tensors.Select(tensor => tensor.GetProperty("name").GetString()!));
        Assert.All(tensors, tensor => Assert.Equal("learned", tensor.GetProperty("use").GetString()));
        Assert.All(tensors, tensor => Assert.Equal(
            tensor.GetProperty("dims").GetArrayLength() == 2, tensor.GetProperty("decayed").GetBoolean()));
    }

    [Fact]
    public async Task A_training_freezes_what_it_is_told_and_declares_what_it_made_sparse()
    {
        using var folder = new TemporaryFolder();
        SmallImages.Write(folder.File("data"));
        string[] train =
        [
            "train", "--model", "zoo:mlp", "--data", folder.File("data"), "--epochs", "1", "--threads", "1",
            "--out", folder.File("model.onnx"),
        ];
        CliProcess.Outcome outcome = await CliProcess.RunAsync([.. train, "--freeze", "fc1.weight", "fc1.bias", "--freeze", "fc2.bias"]);
        Assert.True(outcome.ExitCode == 0, outcome.Error);
        Assert.Contains("values): fc2.weight, head.weight, head.bias", outcome.Output);
        Assert.Contains("Not learned: fc1.weight (frozen as asked; weights of Gemm 'fc1')", outcome.Output);
        OnnxModel trained = OnnxModel.Load(folder.File("model.onnx"));
        Assert.Equal(["fc2"], LayerPatterns.Find(trained)!.Keys);
        CliProcess.Outcome verify = await CliProcess.RunAsync("verify", folder.File("model.onnx"));
        Assert.True(verify.ExitCode == 0, verify.Output + verify.Error);

        CliProcess.Outcome unknown = await CliProcess.RunAsync([.. train, "--train", "positions"]);
        Assert.NotEqual(0, unknown.ExitCode);
        Assert.Contains("The model has no tensor 'positions' to train; it has fc1.weight, fc1.bias,", Assert.Single(unknown.ErrorLines));
    }

    /// <summary>Where ONNX Runtime's own integers are exact for sure.</summary>
    private static bool HasVnni => Avx512BW.IsSupported && (X86Base.CpuId(7, 0).Ecx & 1 << 11) != 0;

    private static string[] Quick(TemporaryFolder folder, int epochs = 1) =>
        ["--data", folder.File("data"), "--epochs", $"{epochs}", "--threads", "1", "--out", folder.File("out")];
}
