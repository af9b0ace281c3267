using Dovetail.Core.Files;

namespace Dovetail.Data;

/// <summary>Brings the full Fashion-MNIST to this machine (`dovetail data get fashion-mnist`).</summary>
public static class DatasetInstaller
{
    /// <summary>Uses what is installed, else downloads into the cache.</summary>
    /// <param name="progress">Called as bytes arrive.</param>
    /// <returns>Where the files are.</returns>
    /// <exception cref="DataException">The download failed; the message names the other ways.</exception>
    public static async Task<DatasetSource> GetFashionMnistAsync(
        IProgress<DownloadProgress>? progress = null, CancellationToken cancellation = default)
    {
        using var client = new HttpClient { Timeout = TimeSpan.FromSeconds(60) };
        client.DefaultRequestHeaders.UserAgent.ParseAdd("dovetail");
        return await GetAsync(
            FashionMnist.Locate(), FashionMnist.Files, FashionMnist.CacheFolder, new ResumableDownload(new ResumableTransfer(client)),
            progress, cancellation);
    }

    internal static async Task<DatasetSource> GetAsync(
        DatasetSource installed, IReadOnlyList<RemoteFile> files, string? cacheFolder, ResumableDownload download,
        IProgress<DownloadProgress>? progress, CancellationToken cancellation)
    {
        if (installed.Kind == DatasetSourceKind.SystemPackage)
            return installed;
        if (cacheFolder is null)
            throw new DataException($"There is no cache folder to download to. Set {UserCache.Variable} to a folder that can be written.");
        try
        {
            foreach (RemoteFile file in files)
                await download.FetchAsync(file, cacheFolder, progress, cancellation);
        }
        catch (DataException error)
        {
            throw new DataException(
                $"{error.Message} Without the network: install the Debian package {FashionMnist.DebianPackage}, " +
                $"or put the four files into a folder and give --data DIR.", error);
        }

        return new DatasetSource(DatasetSourceKind.UserCache, cacheFolder);
    }
}
