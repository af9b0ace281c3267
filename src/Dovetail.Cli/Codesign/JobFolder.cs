using Dovetail.Core;

namespace Dovetail.Cli.Codesign;

/// <summary>The output folder of a job and the names in it.</summary>
internal sealed class JobFolder : IDisposable
{
    public const string Dense = "dense.onnx";
    public const string Sparse = "sparse.onnx";
    public const string Packed = "packed.onnx";
    public const string PackedSafetensors = "packed.safetensors";
    public const string DenseInt8 = "dense_int8.onnx";
    public const string SparseInt8 = "sparse_int8.onnx";
    public const string PackedInt8 = "packed_int8.onnx";
    public const string DenseCheckpoint = "dense.checkpoint";
    public const string ComplementaryCheckpoint = "complementary.checkpoint";
    public const string Rtl = "rtl";
    public const string Result = "result.json";
    public const string Report = "report.html";

    private readonly FileStream _lock;

    private JobFolder(string path, FileStream locked) => (Path, _lock) = (path, locked);

    public string Path { get; }

    public string File(string name) => System.IO.Path.Combine(Path, name);

    /// <summary>Removes the checkpoints, result and report of an earlier job; models and RTL are replaced as the job goes on.</summary>
    public void Clear()
    {
        foreach (string name in (string[])[DenseCheckpoint, ComplementaryCheckpoint, Result, Report])
            System.IO.File.Delete(File(name));
    }

    /// <summary>Makes the folder and proves at once that it may be written, before anything long is started.</summary>
    /// <exception cref="DovetailException">It is a file, cannot be made, or may not be written.</exception>
    public static JobFolder Open(string path)
    {
        if (string.IsNullOrWhiteSpace(path))
            throw new DovetailException("The output folder has no name. Give --out a folder.");
        if (System.IO.File.Exists(path))
            throw new DovetailException($"The output folder '{path}' is a file. Give --out another name.");
        string probe = System.IO.Path.Combine(path, $".dovetail-{Environment.ProcessId}.tmp");
        try
        {
            Directory.CreateDirectory(path);
            System.IO.File.WriteAllBytes(probe, [0]);
            System.IO.File.Delete(probe);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new DovetailException($"The output folder '{path}' cannot be written: {error.Message.TrimEnd('.')}. Give --out a folder "
                + "that can.", error);
        }

        return new JobFolder(System.IO.Path.GetFullPath(path), Lock(path));
    }

    /// <summary>Another job may use the folder again.</summary>
    public void Dispose() => _lock.Dispose();

    // The system drops it with the process, however that ends.
    private static FileStream Lock(string path)
    {
        try
        {
            return new FileStream(
                System.IO.Path.Combine(path, ".dovetail.lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, 1,
                FileOptions.DeleteOnClose);
        }
        catch (IOException error)
        {
            throw new DovetailException(
                $"Another 'dovetail codesign' is at work in '{path}'. Wait for it, or give --out another folder.", error);
        }
    }
}
