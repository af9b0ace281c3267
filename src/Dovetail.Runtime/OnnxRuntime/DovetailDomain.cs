using Dovetail.Runtime.OnnxRuntime.Interop;
using Dovetail.Runtime.OnnxRuntime.Operators;

namespace Dovetail.Runtime.OnnxRuntime;

/// <summary>The operator domain <c>ai.dovetail</c>, made once a process and never freed: sessions may outlive anything.</summary>
internal static unsafe class DovetailDomain
{
    public const string Name = "ai.dovetail";

    private static readonly Lazy<(OrtApi Api, nint Domain)> Shared = new(Create);

    public static void AddTo(nint sessionOptions)
    {
        (OrtApi api, nint domain) = Shared.Value;
        api.AddDomain(sessionOptions, domain);
    }

    private static (OrtApi Api, nint Domain) Create()
    {
        OrtApi api = OrtApi.Load();
        nint domain = api.CreateCustomOpDomain(Name);
        foreach (PackedOperator definition in PackedOperator.All)
            api.AddToDomain(domain, CustomOpCallbacks.CreateTable(definition));
        return (api, domain);
    }
}
