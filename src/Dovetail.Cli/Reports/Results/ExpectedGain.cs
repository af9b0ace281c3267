namespace Dovetail.Cli.Reports.Results;

/// <summary>
/// What packed layers gained over ONNX Runtime's dense ones in a committed measurement, one thread: geometric means of medians.
/// </summary>
/// <param name="Results">The folder of bench/results: the CPU.</param>
/// <param name="WithoutAvx512">.NET ran as if that CPU had no AVX-512, while ONNX Runtime used it.</param>
/// <param name="Type">fp32, int8 or bf16 (operands).</param>
/// <param name="Ratio">Times as fast as dense fp32.</param>
/// <param name="RatioInt8">Times as fast as dense int8.</param>
/// <param name="Layers">How many were measured.</param>
/// <param name="Networks">Whose layers they are.</param>
/// <param name="Kernels">That ran the packed layers.</param>
public sealed record ExpectedGain(
    string Results, bool WithoutAvx512, string Type, string Pattern, double Ratio, double RatioInt8, int Layers,
    IReadOnlyList<string> Networks, IReadOnlyList<string> Kernels);
