namespace Dovetail.Kernels.OnnxOperators.Interop;

/// <summary>
/// Takes a race away from users. ONNX Runtime enters an operator domain in a list of the process when the first session with
/// it is created, and checks and enters without a lock: of several threads that create their first sessions at once, some
/// fail with "the domain is already exist". A session of ours, created while all others still wait for the domain, is the
/// first of them.
/// </summary>
internal static class FirstSession
{
    /// <summary>y = Identity(x), both float of shape [1]: an ONNX file of IR version 8 and opset 13, field by field.</summary>
    private static readonly byte[] s_model =
    [
        0x08, 8, 0x42, 2, 0x10, 13, 0x3A, 55, // ir_version; opset_import.version; graph of 55 bytes:
        0x0A, 16, 0x0A, 1, (byte)'x', 0x12, 1, (byte)'y', 0x22, 8, .. "Identity"u8, // node: input, output, op_type
        0x12, 1, (byte)'g', // name
        0x5A, 15, 0x0A, 1, (byte)'x', 0x12, 10, 0x0A, 8, 0x08, 1, 0x12, 4, 0x0A, 2, 0x08, 1, // input: name; elem_type, shape
        0x62, 15, 0x0A, 1, (byte)'y', 0x12, 10, 0x0A, 8, 0x08, 1, 0x12, 4, 0x0A, 2, 0x08, 1, // output
    ];

    /// <summary>
    /// Where a session cannot be made nothing is said: the host's own will say why. A host that makes its environment on
    /// another thread at this very moment may get this one, which logs fatal errors only; hosts make it first.
    /// </summary>
    /// <exception cref="OperatorException">The domain is refused.</exception>
    public static void CreateAndRelease(OrtApi api, nint domain)
    {
        // An environment that the host has made is shared, by count; one made here is gone before the host makes its own.
        if (!api.TryCreateEnvironment("dovetail", out nint environment))
            return;
        nint options = 0;
        try
        {
            if (!api.TryCreateSessionOptions(threads: 1, out options))
                return;
            api.AddDomain(options, domain);
            if (api.TryCreateSession(environment, s_model, options, out nint session))
                api.ReleaseSession(session);
        }
        finally
        {
            api.ReleaseSessionOptions(options);
            api.ReleaseEnvironment(environment);
        }
    }
}
