using Dovetail.Cli.Reports.Results;

namespace Dovetail.Cli.Codesign;

/// <summary>The files of a job with what each is, for the report.</summary>
internal static class JobFiles
{
    private static readonly (string Name, string Description)[] s_files =
    [
        (JobFolder.Dense, "the dense network, trained; standard ONNX"),
        (JobFolder.Sparse, "the complementary network, trained; standard ONNX with zeros inside"),
        (JobFolder.Packed, "the complementary network, packed; operators of ai.dovetail"),
        (JobFolder.PackedSafetensors, "its packed weights alone"),
        (JobFolder.DenseInt8, "the dense network, int8 (QDQ)"),
        (JobFolder.SparseInt8, "the complementary network, int8 (QDQ)"),
        (JobFolder.PackedInt8, "the complementary network, int8 and packed"),
        (JobFolder.DenseCheckpoint, "state of the dense training, for --resume"),
        (JobFolder.ComplementaryCheckpoint, "state of the complementary training, for --resume"),
    ];

    public static IReadOnlyList<OutputFile> List(JobFolder folder)
    {
        var files = new List<OutputFile>();
        foreach ((string name, string description) in s_files)
            if (File.Exists(folder.File(name)))
                files.Add(new OutputFile(name, new FileInfo(folder.File(name)).Length, description));
        if (Directory.Exists(folder.File(JobFolder.Rtl)))
            foreach (string path in Directory.EnumerateFiles(folder.File(JobFolder.Rtl)).Order(StringComparer.Ordinal))
                files.Add(new OutputFile(
                    $"{JobFolder.Rtl}/{Path.GetFileName(path)}", new FileInfo(path).Length, "the array, SystemVerilog"));
        return files;
    }
}
