using System.Collections.Concurrent;
using Dovetail.Core.Operators;
using Dovetail.Kernels.OnnxOperators.Interop;

namespace Dovetail.Kernels.OnnxOperators;

/// <summary>
/// The operator domain of <see cref="OperatorSet"/>, made once for each ONNX Runtime library in the process and never freed:
/// sessions may outlive anything.
/// </summary>
internal static unsafe class DovetailDomain
{
    private static readonly ConcurrentDictionary<nint, Lazy<nint>> Domains = new();

    /// <summary>Makes the operators known to an <c>OrtSessionOptions*</c> of the library behind <paramref name="apiBase"/>.</summary>
    /// <exception cref="OperatorException">The library refuses them, or is older than <see cref="OrtApi.Version"/>.</exception>
    public static void AddTo(nint sessionOptions, nint apiBase)
    {
        OrtApi api = OrtApi.Of(apiBase);
        nint domain = Domains.GetOrAdd(
            api.Address, static (_, host) => new Lazy<nint>(() => Create(host.Api, host.MayReuse)),
            (Api: api, MayReuse: OrtApi.MinorVersionOf(apiBase) >= OrtApi.ReuseVersion)).Value;
        api.AddDomain(sessionOptions, domain);
    }

    private static nint Create(OrtApi api, bool mayReuse)
    {
        nint domain = api.CreateCustomOpDomain(OperatorSet.Domain);
        foreach (CustomOperator definition in CustomOperator.All)
            api.AddToDomain(domain, CustomOpCallbacks.CreateTable(api, definition, mayReuse));
        FirstSession.CreateAndRelease(api, domain);
        return domain;
    }
}
