using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Dovetail.Runtime;

/// <summary>The ONNX Runtime library of this process's package: the one that Microsoft.ML.OnnxRuntime calls as well.</summary>
internal static partial class OrtLibrary
{
    /// <summary>Its <c>const OrtApiBase*</c>.</summary>
    public static nint ApiBase => OrtGetApiBase();

    [LibraryImport("onnxruntime")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories | DllImportSearchPath.AssemblyDirectory)]
    private static partial nint OrtGetApiBase();
}
