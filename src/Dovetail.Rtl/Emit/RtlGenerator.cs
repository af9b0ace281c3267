using Dovetail.Accelerator.Config;
using Dovetail.Core;
using Dovetail.Core.Files;

namespace Dovetail.Rtl.Emit;

/// <summary>
/// Writes an array as SystemVerilog: one module a file, <c>dovetail_top</c> with the configuration's fixed
/// sizes on top. Everything is checked and rendered before the first byte is written, and every file
/// appears whole. The same configuration and options give the same bytes.
/// </summary>
public static class RtlGenerator
{
    /// <summary>The operands of a tile are signed bytes.</summary>
    private const int OperandBits = 8;

    /// <summary>Bits of the pixel port that simulators and synthesisers here still take.</summary>
    private const int MaxPixelBits = 1 << 18;

    private const int MaxSide = 256;

    /// <summary>Renders and writes; creates the folder where it is missing.</summary>
    /// <returns>The paths written, in compilation order, the top last.</returns>
    /// <exception cref="DovetailException">The array cannot be emitted, or the folder cannot be written.</exception>
    public static IReadOnlyList<string> Emit(ArrayConfig config, string directory, RtlOptions? options = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(directory);
        IReadOnlyList<SourceFile> files = Render(config, options);
        return Write(files, directory);
    }

    /// <summary>The files of an array, in compilation order, without writing them.</summary>
    /// <exception cref="DovetailException">The array cannot be emitted; the message says why.</exception>
    public static IReadOnlyList<SourceFile> Render(ArrayConfig config, RtlOptions? options = null)
    {
        options ??= new RtlOptions();
        Check(config, options);
        bool sparse = config.Lanes > 1, adders = options.Multiplier == MultiplierStyle.FullAdders;
        var facts = new Dictionary<string, bool>
        {
            ["sparse"] = sparse,
            ["dense"] = !sparse,
            ["registered"] = config.RegisteredSelection,
            ["direct"] = !config.RegisteredSelection,
            ["adders"] = adders,
            ["operator"] = !adders,
            ["manyrows"] = config.Rows > 1,
            ["onerow"] = config.Rows == 1,
        };
        IReadOnlyDictionary<string, string> values = Values(config);
        string header = Header(config, options);
        string[] modules =
        [
            .. sparse ? ["dovetail_selector"] : Array.Empty<string>(),
            .. adders ? ["dovetail_full_adder", "dovetail_half_adder"] : Array.Empty<string>(),
            "dovetail_mac", "dovetail_pe", "dovetail_cluster", "dovetail_array",
            "dovetail_skew", "dovetail_control", "dovetail_top",
        ];
        return [.. modules.Select(
            module => new SourceFile($"{module}.sv", header + SourceTemplate.Render($"{module}.sv.in", facts, values)))];
    }

    internal static IReadOnlyList<string> Write(IReadOnlyList<SourceFile> files, string directory)
    {
        try
        {
            Directory.CreateDirectory(directory);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new RtlException(
                $"Cannot make the folder '{directory}': {error.Message.TrimEnd('.')}. Give one that may be written.", error);
        }

        var paths = new List<string>(files.Count);
        foreach (SourceFile file in files)
        {
            string path = Path.Combine(directory, file.Name);
            AtomicFile.WriteAllText(path, file.Text);
            paths.Add(path);
        }

        return paths;
    }

    /// <summary>Bits of an owner on a port.</summary>
    internal static int OwnerBits(ArrayConfig config) => config.Pattern.IndexBits;

    private static void Check(ArrayConfig config, RtlOptions options)
    {
        ArgumentNullException.ThrowIfNull(config);
        config.Validated();
        if (config.Dataflow != Dataflow.WeightStationary)
            throw new RtlException($"The array is {config.Dataflow}; RTL is generated for {Dataflow.WeightStationary} arrays only.");
        if (config.ActivationBits != OperandBits || config.WeightBits != OperandBits || config.AccumulatorBits != 32)
            throw new RtlException(
                $"The array has activations of {config.ActivationBits}, weights of {config.WeightBits} and sums of "
                + $"{config.AccumulatorBits} bits; " +
                $"RTL is generated for {OperandBits}, {OperandBits} and 32.");
        if (config.Rows > MaxSide || config.Columns > MaxSide)
            throw new RtlException($"The array has {config.Rows}×{config.Columns} PEs; RTL is generated for at most {MaxSide} rows and "
                + "columns.");
        if (config.Pattern.Share > 1)
            throw new RtlException($"Pattern {config.Pattern} shares owners between {config.Pattern.Share} outputs; RTL holds an owner in "
                + $"every PE: use {config.Pattern.Keep}:{config.Pattern.Group}, on which such weights run as well.");
        long pixelBits = (long)config.Rows * config.Lanes * OperandBits;
        if (pixelBits > MaxPixelBits)
            throw new RtlException($"A pixel of {config.Rows} rows with {config.Lanes} lanes has {pixelBits} bits; RTL is generated for at "
                + $"most {MaxPixelBits}. Take fewer rows or a smaller group.");
        if (!Enum.IsDefined(options.Multiplier))
            throw new RtlException($"Multiplier {options.Multiplier} is not one of {string.Join(", ", Enum.GetNames<MultiplierStyle>())}.");
        if (options.Command is { } command && command.Any(char.IsControl))
            throw new RtlException("The command for the file headers has a line break or another control character; expected one line.");
    }

    private static Dictionary<string, string> Values(ArrayConfig config) =>
        new (string Name, long Value)[]
        {
            ("ROWS", config.Rows),
            ("COLUMNS", config.Columns),
            ("CLUSTER", Math.Min(config.ClusterColumns, config.Columns)),
            ("CLUSTERS", config.Clusters),
            ("GROUP", config.Lanes),
            ("OWNER_BITS", OwnerBits(config)),
            ("DATA_BITS", config.ActivationBits),
            ("SUM_BITS", config.AccumulatorBits),
            ("LANE_BITS", (long)config.Lanes * config.ActivationBits),
            ("LATENCY", config.SelectionLatencyCycles),
            ("TAIL", config.Rows - 1 + config.Clusters - 1 + config.SelectionLatencyCycles),
        }.ToDictionary(entry => entry.Name, entry => SourceTemplate.Number(entry.Value));

    private static string Header(ArrayConfig config, RtlOptions options)
    {
        string multiplier = options.Multiplier == MultiplierStyle.FullAdders ? "full-adders" : "operator";
        string command = options.Command ??
            $"dovetail rtl --rows {config.Rows} --cols {config.Columns} --pattern {config.Pattern} --cluster {config.ClusterColumns} " +
            $"--registered-selection {(config.RegisteredSelection ? "true" : "false")} --multiplier {multiplier}";
        return
            "// Generated by Dovetail; edits are lost.\n" +
            // it may hold a path, and a comment ends with its line
            $"// command: {string.Concat(command.Select(c => char.IsControl(c) ? ' ' : c))}\n" +
            $"// config: weight-stationary {config.Rows}x{config.Columns}, pattern {config.Pattern}, " +
            $"clusters of {config.ClusterColumns}, " +
            $"selection {(config.RegisteredSelection ? "registered" : "direct")}, int8 x int8 + int32, multiplier {multiplier}\n" +
            $"// seed: {options.Seed?.ToString() ?? "none"}\n" +
            "\n";
    }
}
