using Dovetail.Kernels;
using Dovetail.Kernels.OnnxOperators;
using Microsoft.ML.OnnxRuntime;

namespace Dovetail.Runtime;

/// <summary>For people who have their own session code.</summary>
public static class SessionOptionsExtensions
{
    /// <summary>Makes the operators of <c>ai.dovetail</c> known to sessions created with these options.</summary>
    /// <exception cref="OperatorException">ONNX Runtime refuses them, or is older than expected.</exception>
    public static SessionOptions AddDovetail(this SessionOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        bool held = false;
        try
        {
            options.DangerousAddRef(ref held);
            DovetailDomain.AddTo(options.DangerousGetHandle(), OrtLibrary.ApiBase);
        }
        finally
        {
            if (held)
                options.DangerousRelease();
        }

        return options;
    }
}
