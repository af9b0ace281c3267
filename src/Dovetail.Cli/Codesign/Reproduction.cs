using Dovetail.Cli.Reports.Results;

namespace Dovetail.Cli.Codesign;

/// <summary>One command a table of the report.</summary>
internal static class Reproduction
{
    public static IReadOnlyList<ReproduceCommand> Commands(CodesignOptions options)
    {
        string folder = Quote(options.Folder), data = options.Data == "fashion-mnist" ? "" : $" --data {Quote(options.Data)}";
        string epochs = options.Epochs is { } count ? $" --epochs {count}" : "";
        string model = $"--model {Quote(options.Model)}{data}{epochs} --seed {options.Seed} --threads {options.Threads}";
        string array = $"--rows {options.Rows} --cols {options.Columns} --mode cycle";
        return
        [
            new("everything, and agreement and mask", options.CommandLine.Replace(" --resume", "")),
            new("training, dense", $"./dovetail train {model} --method dense --out dense.onnx"),
            new("training, complementary", $"./dovetail train {model} --method {options.Method} --pattern {options.Pattern} --out "
                + "sparse.onnx"),
            .. ((string[])[
                JobFolder.Dense, JobFolder.Sparse, JobFolder.Packed, JobFolder.DenseInt8, JobFolder.SparseInt8, JobFolder.PackedInt8])
                .Select(file => new ReproduceCommand($"accuracy, {file}", $"./dovetail run {folder}/{file}{data}")),
            new("size, fp32", $"./dovetail pack {folder}/{JobFolder.Sparse} --pattern {options.Pattern} --out packed.onnx --safetensors "
                + "packed.safetensors"),
            new("size, int8", $"./dovetail pack {folder}/{JobFolder.SparseInt8} --pattern {options.Pattern} --out packed_int8.onnx"),
            new("speed", $"./dovetail bench {folder}/{JobFolder.Packed} --against {folder}/{JobFolder.Dense} --threads "
                + $"{options.BenchThreads}"),
            new("accelerator, dense", $"./dovetail simulate {folder}/{JobFolder.PackedInt8} {array} --pattern 1:1 --cluster 4"),
            new("accelerator, complementary", $"./dovetail simulate {folder}/{JobFolder.PackedInt8} {array} --pattern {options.Pattern}"),
            new("RTL", $"./dovetail rtl --model {folder}/{JobFolder.PackedInt8}{data} --out rtl --check"),
        ];
    }

    /// <summary>As a shell takes it.</summary>
    public static string Quote(string text) =>
        text.Length > 0 && text.All(c => char.IsAsciiLetterOrDigit(c) || "-_./:=@+,".Contains(c))
            ? text
            : $"'{text.Replace("'", "'\\''")}'";
}
