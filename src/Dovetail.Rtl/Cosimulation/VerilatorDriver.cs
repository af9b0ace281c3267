using System.Security.Cryptography;
using System.Text;
using Dovetail.Accelerator.Config;
using Dovetail.Core;
using Dovetail.Core.Files;
using Dovetail.Core.Packing;
using Dovetail.Rtl.Emit;

namespace Dovetail.Rtl.Cosimulation;

/// <summary>
/// Builds an array's simulation with Verilator and the C++ driver that stands beside this file.
/// A build takes seconds, so its executable is kept in the user's cache under the hash of everything that
/// goes into it: sources, driver, flags and Verilator's version.
/// </summary>
internal sealed class VerilatorDriver
{
    private const string Installation = "Install Verilator 5 or newer, e.g. 'apt-get install verilator g++ make'";
    private static readonly TimeSpan s_buildTimeOut = TimeSpan.FromMinutes(10);
    private static readonly string[] s_flags =
    [
        "--cc", "--exe", "--build", "-j", "2", "--top-module", "dovetail_top", "-Wall",
        "--x-assign", "fast", "-CFLAGS", "-O1 -std=c++17", "--Mdir", "obj", "-o", "simulation",
    ];

    private readonly string _verilator;
    private readonly string _cacheDirectory;

    /// <param name="cacheDirectory">Where built simulations are kept; null is the user's cache.</param>
    /// <exception cref="ToolMissingException">Verilator is not installed; what needs it is then "skipped".</exception>
    public VerilatorDriver(string? cacheDirectory = null)
    {
        _verilator = ToolProcess.Locate("verilator", "DOVETAIL_VERILATOR", Installation);
        ToolProcess.Locate("make", "DOVETAIL_MAKE", "Verilator's builds need it: install make, e.g. 'apt-get install make'");
        ToolProcess.Locate("g++", "DOVETAIL_CXX", "Verilator's builds need it: install a C++ compiler, e.g. 'apt-get install g++'");
        _cacheDirectory = cacheDirectory
            ?? Path.Combine(UserCache.Root ?? Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), "rtl");
    }

    /// <summary>E.g. "Verilator 5.006 2023-01-22 rev (Debian 5.006-3)".</summary>
    public string Version(CancellationToken cancellation = default) =>
        ToolProcess.Run(_verilator, ["--version"], Environment.CurrentDirectory, TimeSpan.FromMinutes(1), cancellation).Trim();

    /// <summary>Emits the array and builds its simulation, or takes it from the cache.</summary>
    /// <exception cref="DovetailException">The array cannot be emitted, or Verilator or the compiler failed.</exception>
    public VerilatedArray Build(ArrayConfig config, RtlOptions? options = null, CancellationToken cancellation = default) =>
        Build(config, RtlGenerator.Render(config, options), cancellation);

    /// <summary>The same from given sources, e.g. files that were emitted before.</summary>
    internal VerilatedArray Build(ArrayConfig config, IReadOnlyList<SourceFile> sources, CancellationToken cancellation = default)
    {
        string driver = Driver(config);
        string directory = Path.Combine(_cacheDirectory, Key(sources, driver, Version(cancellation)));
        string executable = Path.Combine(directory, "simulation");
        if (!File.Exists(executable))
        {
            using var scratch = new ScratchFolder();
            IEnumerable<string> names = sources.Select(source => source.Name);
            RtlGenerator.Write([.. sources, new SourceFile("driver.cpp", driver)], scratch.Path);
            ToolProcess.Run(_verilator, [.. s_flags, .. names, "driver.cpp"], scratch.Path, s_buildTimeOut, cancellation);
            Keep(scratch.File(Path.Combine("obj", "simulation")), directory, executable);
        }

        return new VerilatedArray(config, executable);
    }

    /// <summary>Reports what Verilator's lint, all warnings on, has to say about emitted files; empty where clean.</summary>
    public string Lint(IReadOnlyList<SourceFile> sources, CancellationToken cancellation = default)
    {
        using var scratch = new ScratchFolder();
        RtlGenerator.Write(sources, scratch.Path);
        return ToolProcess.Run(
            _verilator, ["--lint-only", "-Wall", "--top-module", "dovetail_top", .. sources.Select(source => source.Name)],
            scratch.Path, s_buildTimeOut, cancellation).Trim();
    }

    private static void Keep(string built, string directory, string executable)
    {
        try
        {
            Directory.CreateDirectory(directory);
            string temporary = $"{executable}.{Environment.ProcessId}.{Environment.CurrentManagedThreadId}.tmp";
            File.Copy(built, temporary, overwrite: true); // copies the execute permission too
            File.Move(temporary, executable, overwrite: true);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new RtlException($"Cannot keep the built simulation in '{directory}': {error.Message.TrimEnd('.')}. Set DOVETAIL_CACHE "
                + "to a folder that may be written.", error);
        }
    }

    private static string Driver(ArrayConfig config)
    {
        bool sparse = config.Lanes > 1;
        return SourceTemplate.Render(
            "driver.cpp.in",
            new Dictionary<string, bool> { ["sparse"] = sparse, ["dense"] = !sparse },
            new (string Name, long Value)[]
            {
                ("ROWS", config.Rows),
                ("COLUMNS", config.Columns),
                ("CLUSTER", Math.Min(config.ClusterColumns, config.Columns)),
                ("CLUSTERS", config.Clusters),
                ("WEIGHT_BYTES", config.Columns),
                ("OWNER_BYTES", OwnerCodec.RowBytes(config.Columns, RtlGenerator.OwnerBits(config))),
                ("LANE_BYTES", (long)config.Rows * config.Lanes),
            }.ToDictionary(entry => entry.Name, entry => SourceTemplate.Number(entry.Value)));
    }

    private static string Key(IReadOnlyList<SourceFile> sources, string driver, string version)
    {
        // the headers differ with the command that emitted; the hardware does not
        var text = new StringBuilder(version).Append('\n').AppendJoin(' ', s_flags).Append('\n').Append(driver);
        foreach (SourceFile source in sources)
            text.Append('\0').Append(source.Name).Append('\0').Append(source.Text[source.Text.IndexOf("\n\n", StringComparison.Ordinal)..]);
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text.ToString())))[..32];
    }
}
