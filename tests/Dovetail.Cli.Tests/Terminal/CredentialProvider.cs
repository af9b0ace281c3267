using NuGet.Protocol.Plugins;

namespace Dovetail.Cli.Tests.Terminal;

/// <summary>
/// A NuGet credential provider, as organizations install them: a process that NuGet's client library asks. <see cref="StartupHook"/>
/// runs it.
/// </summary>
internal static class CredentialProvider
{
    public const string User = "me", Password = "from the provider";

    /// <summary>Names a file that gets a line when the provider is asked: "once", or "again" where what it gave did not serve.</summary>
    public const string LogVariable = "DOVETAIL_TEST_PROVIDER_LOG";

    public static async Task RunAsync()
    {
        var handlers = new RequestHandlers();
        handlers.TryAdd(MessageMethod.Initialize, new Answer(_ => new InitializeResponse(MessageResponseCode.Success)));
        handlers.TryAdd(MessageMethod.GetOperationClaims, new Answer(_ => new GetOperationClaimsResponse([OperationClaim.Authentication])));
        handlers.TryAdd(MessageMethod.SetLogLevel, new Answer(_ => new SetLogLevelResponse(MessageResponseCode.Success)));
        handlers.TryAdd(MessageMethod.GetAuthenticationCredentials, new Answer(request =>
        {
            GetAuthenticationCredentialsRequest asked = MessageUtilities.DeserializePayload<GetAuthenticationCredentialsRequest>(request)!;
            File.AppendAllLines(Environment.GetEnvironmentVariable(LogVariable)!, [asked.IsRetry ? "again" : "once"]);
            return !asked.IsNonInteractive
                ? new GetAuthenticationCredentialsResponse(null, null, "asked to prompt", null, MessageResponseCode.Error)
                : new GetAuthenticationCredentialsResponse(User, Password, null, ["basic"], MessageResponseCode.Success);
        }));
        using IPlugin plugin = await PluginFactory.CreateFromCurrentProcessAsync(
            handlers, ConnectionOptions.CreateDefault(), CancellationToken.None);
        var closed = new TaskCompletionSource();
        plugin.Closed += (_, _) => closed.TrySetResult();
        await closed.Task.WaitAsync(TimeSpan.FromMinutes(2));
    }

    private sealed class Answer(Func<Message, object> answer) : IRequestHandler
    {
        public CancellationToken CancellationToken => CancellationToken.None;

        public Task HandleResponseAsync(
            IConnection connection, Message request, IResponseHandler responseHandler, CancellationToken cancellationToken) =>
            responseHandler.SendResponseAsync(request, answer(request), cancellationToken);
    }
}
