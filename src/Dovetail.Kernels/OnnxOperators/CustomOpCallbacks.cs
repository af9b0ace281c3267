using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Dovetail.Core;
using Dovetail.Core.Operators;
using Dovetail.Kernels.OnnxOperators.Interop;

namespace Dovetail.Kernels.OnnxOperators;

/// <summary>
/// The functions that ONNX Runtime calls. Nothing may throw across this boundary: every failure becomes an OrtStatus.
/// Tables, names and handles live as long as the process, since sessions may outlive whatever registered them.
/// </summary>
internal static unsafe class CustomOpCallbacks
{
    /// <summary>INPUT_OUTPUT_REQUIRED and INPUT_OUTPUT_OPTIONAL of OrtCustomOpInputOutputCharacteristic.</summary>
    private const int Required = 0, Optional = 1;

    /// <summary>Of PackedConv, and of any other operator with a residual: the callback is not told which one asks.</summary>
    private static readonly int ResidualIndex = OperatorSet.PackedConv.InputIndex(InputNames.Residual);

    /// <summary>A table in unmanaged memory that calls <paramref name="definition"/>, for the library behind <paramref name="api"/>.
    /// </summary>
    public static CustomOpTable* CreateTable(OrtApi api, CustomOperator definition, bool mayReuse)
    {
        var table = (CustomOpTable*)NativeMemory.AllocZeroed((nuint)sizeof(CustomOpTable));
        table->Version = OrtApi.Version;
        table->Operator = GCHandle.ToIntPtr(GCHandle.Alloc(definition));
        table->Api = api.Address;
        table->Name = Marshal.StringToCoTaskMemUTF8(definition.Name);
        table->GetName = &GetName;
        table->GetExecutionProviderType = &GetExecutionProviderType;
        table->GetInputType = &GetInputType;
        table->GetInputTypeCount = &GetInputTypeCount;
        table->GetOutputType = &GetOutputType;
        table->GetOutputTypeCount = &One;
        table->KernelDestroy = &KernelDestroy;
        table->GetInputCharacteristic = &GetInputCharacteristic;
        table->GetOutputCharacteristic = &ZeroOf;
        table->GetInputMemoryType = &ZeroOf;
        table->GetVariadicInputMinArity = &Zero;
        table->GetVariadicInputHomogeneity = &Zero;
        table->GetVariadicOutputMinArity = &Zero;
        table->GetVariadicOutputHomogeneity = &Zero;
        table->CreateKernelV2 = &CreateKernel;
        table->KernelComputeV2 = &Compute;
        table->InferOutputShape = &InferOutputShape;
        table->GetStartVersion = &StartVersion;
        table->GetEndVersion = &EndVersion;
        if (mayReuse && definition.Schema.FindInput(InputNames.Residual) == ResidualIndex)
        {
            table->Version = OrtApi.ReuseVersion;
            table->GetMayInplace = &ReusedResidual;
            table->ReleaseMayInplace = &ReleaseReused;
        }

        return table;
    }

    /// <summary>The output may take the residual's place: each element is read before it is written, by the same task.</summary>
    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static nuint ReusedResidual(int** inputs, int** outputs)
    {
        *inputs = (int*)NativeMemory.Alloc(sizeof(int));
        *outputs = (int*)NativeMemory.Alloc(sizeof(int));
        (**inputs, **outputs) = (ResidualIndex, 0);
        return 1;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void ReleaseReused(int* inputs, int* outputs)
    {
        NativeMemory.Free(inputs);
        NativeMemory.Free(outputs);
    }

    private static CustomOperator Definition(CustomOpTable* table) => (CustomOperator)GCHandle.FromIntPtr(table->Operator).Target!;

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static nint GetName(CustomOpTable* table) => table->Name;

    /// <summary>Null: the CPU.</summary>
    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static nint GetExecutionProviderType(CustomOpTable* table) => 0;

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int GetInputType(CustomOpTable* table, nuint index) => (int)Definition(table).Schema.Inputs[(int)index].Type;

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static nuint GetInputTypeCount(CustomOpTable* table) => (nuint)Definition(table).Schema.Inputs.Length;

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int GetOutputType(CustomOpTable* table, nuint index) => (int)Definition(table).Schema.OutputType;

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int GetInputCharacteristic(CustomOpTable* table, nuint index) =>
        Definition(table).Schema.Inputs[(int)index].IsOptional ? Optional : Required;

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static nuint One(CustomOpTable* table) => 1;

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Zero(CustomOpTable* table) => 0;

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int ZeroOf(CustomOpTable* table, nuint index) => 0;

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int StartVersion(CustomOpTable* table) => Definition(table).Schema.SinceVersion;

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int EndVersion(CustomOpTable* table) => int.MaxValue;

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    [SuppressMessage("Design", "CA1031:Do not catch general exception types", Justification = "An exception must not cross into "
        + "native code.")]
    private static nint CreateKernel(CustomOpTable* table, nint apiPointer, nint info, nint* kernel)
    {
        OrtApi api = OrtApi.From(apiPointer);
        CustomOperator definition = Definition(table);
        try
        {
            *kernel = GCHandle.ToIntPtr(GCHandle.Alloc(definition.CreateKernel(new KernelInfo(api, info, definition))));
            return 0;
        }
        catch (Exception error)
        {
            *kernel = 0;
            return api.CreateStatus($"{definition.Name} '{NodeName(api, info)}': {Describe(error)}");
        }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    [SuppressMessage("Design", "CA1031:Do not catch general exception types", Justification = "An exception must not cross into "
        + "native code.")]
    private static nint Compute(nint kernelHandle, nint context)
    {
        var kernel = (OperatorKernel)GCHandle.FromIntPtr(kernelHandle).Target!;
        try
        {
            kernel.Compute(context);
            return 0;
        }
        catch (Exception error)
        {
            return kernel.Api.CreateStatus($"{kernel.NodeDescription}: {Describe(error)}", error is DovetailException);
        }
    }

    /// <summary>ONNX Runtime takes no status here: what cannot be freed stays.</summary>
    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    [SuppressMessage("Design", "CA1031:Do not catch general exception types", Justification = "An exception must not cross into "
        + "native code.")]
    private static void KernelDestroy(nint kernelHandle)
    {
        if (kernelHandle == 0)
            return;
        GCHandle handle = GCHandle.FromIntPtr(kernelHandle);
        try
        {
            ((OperatorKernel)handle.Target!).Dispose();
        }
        catch (Exception)
        {
            return;
        }

        handle.Free();
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    [SuppressMessage("Design", "CA1031:Do not catch general exception types", Justification = "An exception must not cross into "
        + "native code.")]
    private static nint InferOutputShape(CustomOpTable* table, nint context)
    {
        OrtApi api = OrtApi.From(table->Api);
        CustomOperator definition = Definition(table);
        try
        {
            definition.InferShape(api.ShapeInference(context));
            return 0;
        }
        catch (Exception error)
        {
            return api.CreateStatus($"{definition.Name}: {Describe(error)}");
        }
    }

    private static string NodeName(OrtApi api, nint info)
    {
        try
        {
            return api.NodeName(info);
        }
        catch (OperatorException)
        {
            return "";
        }
    }

    private static string Describe(Exception error) =>
        error is DovetailException ? error.Message : $"internal error, {error.GetType().Name}: {error.Message}";
}
