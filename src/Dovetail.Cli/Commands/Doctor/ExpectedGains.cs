using System.Text.Json;
using Dovetail.Cli.Reports.Results;
using Dovetail.Cli.Terminal;
using Dovetail.Core.Patterns;
using Dovetail.Kernels.Dispatch;

namespace Dovetail.Cli.Commands.Doctor;

/// <summary>
/// The committed measurements as a table that every build carries, expected-gains.json: a test makes it of bench/results. A
/// measurement says something about this CPU where it would run the same kernels.
/// </summary>
internal static class ExpectedGains
{
    private const string Resource = "expected-gains.json";

    /// <summary>Wide and high enough that every pattern's cells find their candidates.</summary>
    private static readonly WeightShape s_anyShape = WeightShape.Matrix(256, 256);

    public static IReadOnlyList<ExpectedGain> All { get; } = Load();

    /// <summary>Those of CPUs of this one's kind; none where no such CPU was measured.</summary>
    public static IReadOnlyList<ExpectedGain> OfThisCpu => [.. All.Where(AppliesHere)];

    private static bool AppliesHere(ExpectedGain gain) => gain.Type switch
    {
        "int8" => AppliesHere(gain, KernelRegistry.Quantized),
        "bf16" => AppliesHere(gain, KernelRegistry.BFloat16Operands),
        _ => AppliesHere(gain, KernelRegistry.Float32),
    };

    /// <summary>The kernel that this CPU takes was measured, and it has the others that were, which ran layers of few pixels.</summary>
    private static bool AppliesHere<TSpecification, TElement>(ExpectedGain gain, IReadOnlyList<Kernel<TSpecification, TElement>> kernels)
        where TElement : unmanaged
    {
        var layout = new CellLayout(ComplementaryPattern.Parse(gain.Pattern), s_anyShape);
        return gain.Kernels.Contains(kernels.First(kernel => kernel.IsSupported && kernel.Accepts(layout)).Name)
            && gain.Kernels.All(name => kernels.Any(kernel => kernel.Name == name && kernel.IsSupported));
    }

    private static ExpectedGain[] Load()
    {
        using Stream stream = typeof(ExpectedGains).Assembly.GetManifestResourceStream(Resource)
            ?? throw new InvalidOperationException($"The resource {Resource} is missing from the assembly.");
        return JsonSerializer.Deserialize<ExpectedGain[]>(stream, VerbOutput.JsonOptions)!;
    }
}
