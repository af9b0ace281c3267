using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Dovetail.Core;
using Dovetail.Core.Operators;
using Dovetail.Kernels.OnnxOperators;
using Dovetail.Kernels.OnnxOperators.Interop;

namespace Dovetail.Native;

/// <summary>
/// What ONNX Runtime calls after it has loaded this library (RegisterCustomOpsFn of onnxruntime_c_api.h). All calls go to
/// the API that it hands over; a failure becomes an OrtStatus, and nothing is thrown across the boundary.
/// </summary>
internal static class EntryPoint
{
    [UnmanagedCallersOnly(EntryPoint = "RegisterCustomOps", CallConvs = [typeof(CallConvCdecl)])]
    [SuppressMessage("Design", "CA1031:Do not catch general exception types", Justification = "An exception must not cross into "
        + "native code.")]
    internal static nint RegisterCustomOps(nint sessionOptions, nint apiBase)
    {
        try
        {
            DovetailDomain.AddTo(sessionOptions, apiBase);
            return 0;
        }
        catch (DovetailException error)
        {
            return OrtApi.OldestOf(apiBase).CreateStatus(error.Message);
        }
        catch (Exception error)
        {
            return OrtApi.OldestOf(apiBase).CreateStatus(
                $"{OperatorSet.Domain}: internal error, {error.GetType().Name}: {error.Message}", invalidArgument: false);
        }
    }
}
