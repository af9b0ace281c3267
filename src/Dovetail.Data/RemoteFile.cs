namespace Dovetail.Data;

/// <summary>A file on a server, pinned.</summary>
/// <param name="Address">Where it is.</param>
/// <param name="Name">What it is called here.</param>
/// <param name="Bytes">Its size.</param>
/// <param name="Sha256">Its digest, lower-case hexadecimal.</param>
public sealed record RemoteFile(Uri Address, string Name, long Bytes, string Sha256);

/// <summary>How far a download is.</summary>
/// <param name="File">Name of the file under way.</param>
/// <param name="Bytes">Received, with what an earlier attempt left.</param>
/// <param name="TotalBytes">Expected.</param>
public sealed record DownloadProgress(string File, long Bytes, long TotalBytes);
