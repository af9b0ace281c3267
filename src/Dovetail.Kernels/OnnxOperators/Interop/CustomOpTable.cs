using System.Runtime.InteropServices;

namespace Dovetail.Kernels.OnnxOperators.Interop;

/// <summary>
/// <c>struct OrtCustomOp</c> of onnxruntime_c_api.h, field by field, followed by what is ours: ONNX Runtime hands
/// the struct's address back to every callback.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct CustomOpTable
{
    public uint Version;
    public nint CreateKernel;
    public delegate* unmanaged[Cdecl]<CustomOpTable*, nint> GetName;
    public delegate* unmanaged[Cdecl]<CustomOpTable*, nint> GetExecutionProviderType;
    public delegate* unmanaged[Cdecl]<CustomOpTable*, nuint, int> GetInputType;
    public delegate* unmanaged[Cdecl]<CustomOpTable*, nuint> GetInputTypeCount;
    public delegate* unmanaged[Cdecl]<CustomOpTable*, nuint, int> GetOutputType;
    public delegate* unmanaged[Cdecl]<CustomOpTable*, nuint> GetOutputTypeCount;
    public nint KernelCompute;
    public delegate* unmanaged[Cdecl]<nint, void> KernelDestroy;
    public delegate* unmanaged[Cdecl]<CustomOpTable*, nuint, int> GetInputCharacteristic;
    public delegate* unmanaged[Cdecl]<CustomOpTable*, nuint, int> GetOutputCharacteristic;
    public delegate* unmanaged[Cdecl]<CustomOpTable*, nuint, int> GetInputMemoryType;
    public delegate* unmanaged[Cdecl]<CustomOpTable*, int> GetVariadicInputMinArity;
    public delegate* unmanaged[Cdecl]<CustomOpTable*, int> GetVariadicInputHomogeneity;
    public delegate* unmanaged[Cdecl]<CustomOpTable*, int> GetVariadicOutputMinArity;
    public delegate* unmanaged[Cdecl]<CustomOpTable*, int> GetVariadicOutputHomogeneity;
    public delegate* unmanaged[Cdecl]<CustomOpTable*, nint, nint, nint*, nint> CreateKernelV2;
    public delegate* unmanaged[Cdecl]<nint, nint, nint> KernelComputeV2;
    public delegate* unmanaged[Cdecl]<CustomOpTable*, nint, nint> InferOutputShape;
    public delegate* unmanaged[Cdecl]<CustomOpTable*, int> GetStartVersion;
    public delegate* unmanaged[Cdecl]<CustomOpTable*, int> GetEndVersion;
    public delegate* unmanaged[Cdecl]<int**, int**, nuint> GetMayInplace;
    public delegate* unmanaged[Cdecl]<int*, int*, void> ReleaseMayInplace;
    public nint GetAliasMap;
    public nint ReleaseAliasMap;

    /// <summary>Ours: GCHandle of the <see cref="OnnxOperators.CustomOperator"/>.</summary>
    public nint Operator;

    /// <summary>Ours: the operator's name, UTF-8, zero-terminated.</summary>
    public nint Name;

    /// <summary>Ours: the <c>OrtApi*</c> of the library that was given this table; some callbacks get no other.</summary>
    public nint Api;
}
