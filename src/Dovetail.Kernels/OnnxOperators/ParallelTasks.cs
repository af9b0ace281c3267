using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Dovetail.Kernels.OnnxOperators.Interop;

namespace Dovetail.Kernels.OnnxOperators;

/// <summary>Runs independent tasks on the session's own threads.</summary>
internal static unsafe class ParallelTasks
{
    /// <summary>Calls <paramref name="body"/> for 0 … <paramref name="count"/> − 1 and waits.</summary>
    /// <exception cref="OperatorException">A task failed.</exception>
    public static void Run(OrtApi api, nint context, int count, Action<int> body)
    {
        var run = new State(body);
        GCHandle handle = GCHandle.Alloc(run);
        try
        {
            api.ParallelFor(context, &RunTask, count, (void*)GCHandle.ToIntPtr(handle));
        }
        finally
        {
            handle.Free();
        }

        if (run.Failure is { } failure)
            throw new OperatorException($"A task failed: {failure.Message}", failure);
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    [SuppressMessage("Design", "CA1031:Do not catch general exception types", Justification = "An exception must not cross into "
        + "native code.")]
    private static void RunTask(void* data, nuint task)
    {
        var run = (State)GCHandle.FromIntPtr((nint)data).Target!;
        try
        {
            run.Body((int)task);
        }
        catch (Exception error)
        {
            run.Failure = error;
        }
    }

    private sealed class State(Action<int> body)
    {
        public Action<int> Body { get; } = body;

        public Exception? Failure { get; set; }
    }
}
