using Dovetail.Accelerator.Config;
using Dovetail.Core;
using Dovetail.Core.Patterns;
using Dovetail.Rtl.Emit;

namespace Dovetail.Rtl.Synthesis;

/// <summary>
/// Synthesises emitted arrays with Yosys to a Liberty library and reports areas and the longest path.
/// The multiplier is built from full adders unless asked otherwise: left to the synthesiser the dense PE is
/// a quarter larger in osu018, which would flatter the complementary array.
/// </summary>
public sealed class YosysDriver
{
    private const string Installation = "Install Yosys, e.g. 'apt-get install yosys'";
    private const string Method =
        "Yosys and ABC (area-oriented mapping), cell areas; static timing over the library's delay tables, no wires, no layout";

    // Area first, for both arrays: the longest path is the multiplier's and the adder's, whose cells are fixed.
    // No buffers: every net but the broadcast load signal has few loads, and those count in its delay.
    private const string AbcScript = "+strash;ifraig;scorr;dc2;dch,-f;amap";

    private static readonly TimeSpan s_timeOut = TimeSpan.FromMinutes(15);
    private static readonly string[] s_knownLibraries =
    [
        "/usr/share/qflow/tech/osu018/osu018_stdcells.lib",
        "/usr/local/share/qflow/tech/osu018/osu018_stdcells.lib",
        "/opt/homebrew/share/qflow/tech/osu018/osu018_stdcells.lib",
    ];

    private readonly string _yosys;
    private readonly string _libertyPath;

    /// <param name="libertyPath">The cell library; null takes $DOVETAIL_LIBERTY, else osu018 where it is usually installed.</param>
    /// <exception cref="ToolMissingException">Yosys or the library is not installed.</exception>
    public YosysDriver(string? libertyPath = null)
    {
        _yosys = ToolProcess.Locate("yosys", "DOVETAIL_YOSYS", Installation);
        _libertyPath = LocateLibrary(libertyPath);
        if (_libertyPath.AsSpan().IndexOfAny('"', '\n', '\\') >= 0)
            throw new RtlException($"The path of the cell library, {_libertyPath}, has a quote, a backslash or a line break in it, which "
                + "Yosys' scripts cannot say. Rename it.");
    }

    /// <summary>
    /// Synthesises the array and a dense one of equal rows, columns and clusters ("clustered alike"), whose
    /// lane goes to the multiplier without a register for the selected operand, as nothing is selected.
    /// </summary>
    /// <exception cref="DovetailException">An array cannot be emitted, or Yosys failed; its last lines are in the message.</exception>
    public SynthesisComparison Compare(
        ArrayConfig complementary, MultiplierStyle multiplier = MultiplierStyle.FullAdders, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(complementary);
        ArrayConfig dense = complementary with { Pattern = ComplementaryPattern.Dense, RegisteredSelection = false };
        return new SynthesisComparison(
            complementary,
            Synthesise(dense, multiplier, cancellation),
            Synthesise(complementary, multiplier, cancellation),
            1 / complementary.Pattern.Density,
            Path.GetFileName(_libertyPath),
            Method);
    }

    /// <inheritdoc cref="Compare"/>
    public SynthesisFigures Synthesise(
        ArrayConfig config, MultiplierStyle multiplier = MultiplierStyle.FullAdders, CancellationToken cancellation = default)
    {
        IReadOnlyList<SourceFile> files = RtlGenerator.Render(config, new RtlOptions(multiplier));
        CellLibrary library = CellLibrary.Load(_libertyPath);
        using var scratch = new ScratchFolder();
        bool cells = multiplier == MultiplierStyle.FullAdders && library.HasAdderCells;
        if (cells)
            files = [.. files.Where(file => !file.Name.EndsWith("_adder.sv", StringComparison.Ordinal))];
        var none = new Dictionary<string, string>();
        string script = SourceTemplate.Render(
            "synthesise.ys.in",
            new Dictionary<string, bool> { ["cells"] = cells },
            new Dictionary<string, string>
            {
                ["LIBERTY"] = $"\"{_libertyPath}\"",
                ["FILES"] = string.Join(' ', files.Select(file => file.Name)),
                ["ADDERS"] = "adders_osu.v",
                ["ABC_SCRIPT"] = AbcScript,
            });
        RtlGenerator.Write(
            [.. files, new SourceFile("synthesise.ys", script), new SourceFile(
                "adders_osu.v", SourceTemplate.Render("adders_osu.v.in", new Dictionary<string, bool>(), none))],
            scratch.Path);
        ToolProcess.Run(_yosys, ["-q", "-s", "synthesise.ys"], scratch.Path, s_timeOut, cancellation);

        MappedNetlist hierarchy = MappedNetlist.Load(scratch.File("hierarchy.json"));
        (double nanoseconds, IReadOnlyList<string> path) =
            TimingAnalysis.LongestPath(MappedNetlist.Load(scratch.File("flat.json")).Find("dovetail_top"), library);
        return new SynthesisFigures(
            Area("dovetail_top"), Area("dovetail_array"), Area("dovetail_skew"), Area("dovetail_control"), Area("dovetail_pe"), nanoseconds,
            path);

        double Area(string module) => hierarchy.Area(hierarchy.Find(module), library);
    }

    /// <summary>The cell library that <see cref="YosysDriver(string?)"/> would take.</summary>
    /// <exception cref="ToolMissingException">There is none.</exception>
    public static string LocateLibrary(string? chosen)
    {
        chosen ??= Environment.GetEnvironmentVariable("DOVETAIL_LIBERTY");
        if (!string.IsNullOrEmpty(chosen))
            return File.Exists(chosen)
                ? Path.GetFullPath(chosen)
                : throw new ToolMissingException("liberty", $"The cell library '{chosen}' does not exist; expected a Liberty file.");
        return s_knownLibraries.FirstOrDefault(File.Exists)
            ?? throw new ToolMissingException("liberty", "No cell library was found. Install osu018, e.g. 'apt-get install "
                + "qflow-tech-osu018', or name a Liberty file by DOVETAIL_LIBERTY.");
    }
}
