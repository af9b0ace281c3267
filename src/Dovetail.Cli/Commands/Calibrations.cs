using Dovetail.Benchmarking;
using Dovetail.Benchmarking.Costs;
using Dovetail.Cli.Terminal;
using Dovetail.Core.Packing;
using Dovetail.Core.Patterns;
using Spectre.Console;

namespace Dovetail.Cli.Commands;

/// <summary>The cost model of this machine: calibrations from the user's cache, measured under a progress bar where there is
/// none.</summary>
internal sealed class Calibrations(IAnsiConsole console, int threads, bool anew, CancellationToken cancellation)
{
    private readonly CalibrationCache _cache = new(CalibrationCache.DefaultFolder, console.WriteLine);

    /// <param name="batch">Inputs of a run.</param>
    /// <param name="bfloat16Operands">Packed floating-point layers multiply in bfloat16.</param>
    public CostModel Model(int batch, bool bfloat16Operands) => new(Find, batch, bfloat16Operands);

    private CostCalibration Find(string op, ComplementaryPattern pattern, DType type)
    {
        CalibrationKey key = CalibrationKey.For($"{MachineFacts.Cpu}; dovetail {MachineFacts.Version} {MachineFacts.Commit}; "
            + $"{MachineFacts.Runtime}; ONNX Runtime {MachineFacts.OnnxRuntimeVersion}", op, pattern, type, threads);
        if (!anew && _cache.Find(key) is { } known)
            return known;
        CostCalibration measured = ProgressLine.RunShare(
            console, $"Calibrating {op} {pattern} {type.ToString().ToLowerInvariant()}", progress =>
                CostCalibrator.Measure(key, progress, cancellation));
        _cache.Keep(measured);
        return measured;
    }
}
