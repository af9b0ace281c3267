using System.Collections.Concurrent;
using System.Net;
using NuGet.Configuration;
using NuGet.Protocol;
using NuGet.Protocol.Plugins;

namespace Dovetail.Training.Native;

/// <summary>
/// Credentials from the user's NuGet credential providers, for feeds whose credentials are not in NuGet.Config. They are never
/// asked to prompt: what a person must answer, 'dotnet package download --interactive' asks.
/// </summary>
internal sealed class PluginCredentials : ICredentialService
{
    private readonly ConcurrentDictionary<Uri, bool> _asked = new();
    private readonly ConcurrentDictionary<Uri, ICredentials> _served = new();

    public bool HandlesDefaultCredentials => false;

    /// <summary>Makes NuGet's client library ask here; once a process is enough.</summary>
    public static void Register()
    {
        if (HttpHandlerResourceV3.CredentialService is not null)
            return;
        var service = new PluginCredentials();
        HttpHandlerResourceV3.CredentialsSuccessfullyUsed = (uri, credentials) => service._served[uri] = credentials;
        HttpHandlerResourceV3.CredentialService = new Lazy<ICredentialService>(service);
    }

    public async Task<ICredentials?> GetCredentialsAsync(
        Uri uri, IWebProxy? proxy, CredentialRequestType type, string message, CancellationToken cancellationToken)
    {
        if (type == CredentialRequestType.Proxy)
            return null;
        bool isRetry = !_asked.TryAdd(uri, true); // a second time: what was given did not serve
        foreach (PluginDiscoveryResult plugin in await PluginManager.Instance.FindAvailablePluginsAsync(cancellationToken))
        {
            (bool claims, PluginCreationResult? created) = await PluginManager.Instance.TryGetSourceAgnosticPluginAsync(
                plugin, OperationClaim.Authentication, cancellationToken);
            if (!claims || created?.Plugin is null || created.Claims?.Contains(OperationClaim.Authentication) != true)
                continue;
            GetAuthenticationCredentialsResponse? answer = await created.Plugin.Connection
                .SendRequestAndReceiveResponseAsync<GetAuthenticationCredentialsRequest, GetAuthenticationCredentialsResponse>(
                    MessageMethod.GetAuthenticationCredentials,
                    new GetAuthenticationCredentialsRequest(uri, isRetry, isNonInteractive: true, canShowDialog: false),
                    cancellationToken);
            if (answer is { ResponseCode: MessageResponseCode.Success } && (answer.Username ?? answer.Password) is not null)
                return new NetworkCredential(answer.Username, answer.Password);
        }

        return null;
    }

    // The index and the packages of a feed are asked for by connections of their own.
    public bool TryGetLastKnownGoodCredentialsFromCache(Uri uri, bool isProxy, out ICredentials? credentials)
    {
        credentials = null;
        return !isProxy && _served.TryGetValue(uri, out credentials);
    }
}
