using System.Net;
using Dovetail.Data;
using NuGet.Common;
using NuGet.Configuration;
using NuGet.Protocol;
using NuGet.Protocol.Core.Types;
using NuGet.Versioning;

namespace Dovetail.Training.Native;

/// <summary>
/// Fetches a package from one source, with the source's own credentials, proxy and certificates.
/// 1. A feed of version 3 says where its packages lie (PackageBaseAddress): they come by ranges, so that an attempt goes on where
///    the last one stopped, whichever source that was.
/// 2. Of folders and older feeds NuGet's client library copies the whole package.
/// 3. Content with another hash is deleted; where it went on from an earlier attempt, it is fetched once more from its start.
/// </summary>
internal sealed class PackageDownload(PackageSource source, LibTorchPackage package, TimeSpan pause)
{
    private readonly SourceRepository _repository = NuGet.Protocol.Core.Types.Repository.Factory.GetCoreV3(source);

    /// <param name="part">The partial file; the whole package where this succeeds.</param>
    /// <returns>Null, or why the source did not give it, in words.</returns>
    public async Task<string?> TryFetchAsync(string part, IProgress<LibTorchProgress>? progress, CancellationToken cancellation)
    {
        PluginCredentials.Register();
        try
        {
            bool resumes = File.Exists(part);
            if (!await FetchAsync(part, progress, cancellation))
                return "it has no such package";
            if (Matches(part, progress, cancellation))
                return null;
            File.Delete(part);
            if (!resumes)
                return WrongContent;
            await FetchAsync(part, progress, cancellation);
            if (Matches(part, progress, cancellation))
                return null;
            File.Delete(part);
            return WrongContent;
        }
        catch (Exception error) when (error is HttpRequestException or NuGetProtocolException or NuGetConfigurationException)
        {
            return Words(error);
        }
        catch (InvalidDataException error)
        {
            return $"it holds a file that is no package: {error.Message.TrimEnd('.')}";
        }
    }

    private string WrongContent => $"its package has other content than the pinned hash {package.ContentHash} says";

    private async Task<bool> FetchAsync(string part, IProgress<LibTorchProgress>? progress, CancellationToken cancellation)
    {
        Report(0, null);
        if (source.IsHttp && await _repository.GetResourceAsync<ServiceIndexResourceV3>(cancellation) is { } index
            && index.GetServiceEntryUris(ServiceTypes.PackageBaseAddress) is [{ } root, ..])
            return await ReceiveAsync(root, part, Report, cancellation);
        FindPackageByIdResource packages = await RequireAsync<FindPackageByIdResource>(cancellation);
        var version = NuGetVersion.Parse(LibTorchPackage.Version);
        using var noCache = new SourceCacheContext { NoCache = true, DirectDownload = true };
        if (!await packages.DoesPackageExistAsync(package.Id, version, noCache, NullLogger.Instance, cancellation))
            return false; // before the partial file is touched
        await using var target = new ReportingFile(part, at => Report(at, null));
        bool found = await packages.CopyNupkgToStreamAsync(package.Id, version, target, noCache, NullLogger.Instance, cancellation);
        target.Flush(flushToDisk: true);
        return found;

        void Report(long at, long? of) => progress?.Report(
            new LibTorchProgress(LibTorchStage.Downloading, source.Name, at, of ?? Math.Max(at, package.PackageBytes)));
    }

    private async Task<bool> ReceiveAsync(Uri root, string part, Action<long, long?> progress, CancellationToken cancellation)
    {
        HttpHandlerResource handler = await RequireAsync<HttpHandlerResource>(cancellation);
        using var client = new HttpClient(handler.MessageHandler, disposeHandler: false);
        client.DefaultRequestHeaders.UserAgent.ParseAdd("dovetail");
        var address = new Uri(
            $"{root.AbsoluteUri.TrimEnd('/')}/{package.Id}/{LibTorchPackage.Version}/{package.Id}.{LibTorchPackage.Version}.nupkg");
        try
        {
            await new ResumableTransfer(client) { Pause = pause }.ReceiveAsync(address, part, bytes: null, progress, cancellation);
            return true;
        }
        catch (HttpRequestException error) when (error.StatusCode == HttpStatusCode.NotFound)
        {
            return false;
        }
    }

    private async Task<T> RequireAsync<T>(CancellationToken cancellation) where T : class, INuGetResource =>
        await _repository.GetResourceAsync<T>(cancellation)
        ?? throw new FatalProtocolException("it is no kind of source that NuGet's client library knows");

    private bool Matches(string part, IProgress<LibTorchProgress>? progress, CancellationToken cancellation)
    {
        long length = new FileInfo(part).Length;
        progress?.Report(new LibTorchProgress(LibTorchStage.Checking, source.Name, length, length));
        return LibTorchArchive.ContentHash(part, cancellation) == package.ContentHash;
    }

    // NuGet wraps what a server said in its own words about what it was doing: the innermost message is the cause.
    private static string Words(Exception error)
    {
        HttpStatusCode? status = null;
        Exception cause = error;
        for (Exception? at = error; at is not null; cause = at, at = at.InnerException)
            status ??= (at as HttpRequestException)?.StatusCode;
        return status is HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden or HttpStatusCode.ProxyAuthenticationRequired
            ? $"it asks for credentials ({(int)status}) that NuGet's configuration and credential providers do not give"
            : $"it cannot be reached: {cause.Message.TrimEnd('.')}";
    }

    private sealed class ReportingFile(string path, Action<long> report)
        : FileStream(path, FileMode.Create, FileAccess.ReadWrite, FileShare.None)
    {
        public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            await base.WriteAsync(buffer, cancellationToken);
            report(Position);
        }
    }
}
