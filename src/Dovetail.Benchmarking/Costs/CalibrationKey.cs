using System.Security.Cryptography;
using System.Text;
using Dovetail.Core.Packing;
using Dovetail.Core.Patterns;
using Dovetail.Core.Workloads;

namespace Dovetail.Benchmarking.Costs;

/// <summary>What a calibration is good for.</summary>
/// <param name="Machine">CPU and versions.</param>
/// <param name="Op">"Conv" or "Gemm".</param>
/// <param name="Pattern">Of the packed side.</param>
/// <param name="DType">Float32 or Int8, of both sides; BFloat16: operands of the packed side, beside dense fp32.</param>
/// <param name="Threads">Of both sides.</param>
/// <param name="Kernel">What runs the packed side: it changes with the CPU's instructions and with DOVETAIL_KERNEL.</param>
public sealed record CalibrationKey(string Machine, string Op, string Pattern, DType DType, int Threads, string Kernel)
{
    public static CalibrationKey For(string machine, string op, ComplementaryPattern pattern, DType type, int threads)
    {
        ArgumentNullException.ThrowIfNull(pattern);
        int width = Math.Max(16, pattern.Group * pattern.Share);
        var shape = new Layers.LayerShape(new LayerWorkload("kernel", "Gemm", width, 1, width));
        string kernel = KernelNames.Of(new Layers.SyntheticLayer(shape, 1, seed: 1).Pack(pattern, type), pixels: long.MaxValue);
        return new CalibrationKey(machine, op, pattern.ToString(), type, threads, kernel);
    }

    /// <summary>A name for a file: equal for equal keys.</summary>
    public string ToFileName() => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(ToString())))[..32] + ".json";
}
