namespace Dovetail.Core.Safetensors;

/// <summary>A file that is not valid safetensors, or whose tensors are not what was asked for.</summary>
public sealed class SafetensorsException : DovetailException
{
    public SafetensorsException(string message, long? fileOffset = null, string? tensor = null)
        : base(Locate(message, fileOffset, tensor)) => (FileOffset, Tensor) = (fileOffset, tensor);

    public SafetensorsException(string message, Exception innerException, long? fileOffset = null, string? tensor = null)
        : base(Locate(message, fileOffset, tensor), innerException) => (FileOffset, Tensor) = (fileOffset, tensor);

    /// <summary>Bytes from the start of the file to the fault, where one place is at fault.</summary>
    public long? FileOffset { get; }

    /// <summary>The tensor at fault, if it is one.</summary>
    public string? Tensor { get; }

    private static string Locate(string message, long? fileOffset, string? tensor)
    {
        string where = (tensor, fileOffset) switch
        {
            (null, null) => "",
            (null, _) => $" (at byte {fileOffset})",
            (_, null) => $" (tensor '{Shorten(tensor)}')",
            _ => $" (tensor '{Shorten(tensor)}', at byte {fileOffset})",
        };
        return message + where;
    }

    /// <summary>Names come from files: a hostile one must not fill the screen.</summary>
    internal static string Shorten(string text) => text.Length <= 80 ? text : string.Concat(text.AsSpan(0, 77), "...");
}
