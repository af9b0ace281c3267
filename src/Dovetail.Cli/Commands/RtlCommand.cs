using System.CommandLine;
using System.Globalization;
using Dovetail.Accelerator.Config;
using Dovetail.Accelerator.Mapping;
using Dovetail.Cli.Codesign;
using Dovetail.Cli.Reports.Results;
using Dovetail.Cli.Terminal;
using Dovetail.Core;
using Dovetail.Core.Packing;
using Dovetail.Core.Patterns;
using Dovetail.Data;
using Dovetail.Onnx.Layers;
using Dovetail.Onnx.Model;
using Dovetail.Rtl.Emit;
using Dovetail.Rtl.Synthesis;
using Spectre.Console;

namespace Dovetail.Cli.Commands;

/// <summary><c>dovetail rtl</c>: the array as SystemVerilog, checked against the simulator, synthesised.</summary>
internal static class RtlCommand
{
    private const string Operator = "operator", FullAdders = "full-adders";

    public static Command Create()
    {
        Option<string> folder = new("--out", "-o")
        {
            Description = "Folder for the SystemVerilog files.",
            HelpName = "DIR",
            DefaultValueFactory = _ => "rtl",
        };
        Option<ComplementaryPattern?> pattern = new("--pattern")
        {
            Description = "Pattern that the array selects by; 1:1 is a dense array. Default: the model's, else 1:16.",
            HelpName = "PATTERN",
            CustomParser = CommonOptions.Pattern,
        };
        Option<int> rows = CommonOptions.Positive("--rows", "Array rows.", RtlStage.DefaultRows),
            cols = CommonOptions.Positive("--cols", "Array columns.", RtlStage.DefaultColumns);
        Option<int?> cluster = new("--cluster")
        {
            Description = "PEs of a row that share registered lanes. Default: 4, for a dense array 1.",
            HelpName = "N",
        };
        Option<bool?> registered = new("--registered-selection")
        {
            Description = "Register the selected operand before the multiplier. Default: true, for a dense array false.",
        };
        Option<string?> multiplier = new("--multiplier")
        {
            Description = "How the multipliers are written, in what is emitted, checked and synthesised. operator: the synthesiser's "
                + "choice. full-adders: carry-save rows, smaller in libraries with adder cells."
                + " Default: full-adders with --synth, else operator.",
        };
        multiplier.AcceptOnlyFromAmong(Operator, FullAdders);
        Option<bool> check = new("--check")
        {
            Description = "Build the array with Verilator and compare one tile with the simulator, bit for bit and cycle for cycle.",
        };
        Option<string?> model = new("--model")
        {
            Description = "Packed int8 ONNX file: --check feeds a tile of it and a real image; without it the tile is random.",
            HelpName = "FILE.onnx",
        };
        Option<string> data = CommonOptions.Data();
        Option<bool> synth = new("--synth") { Description = "Synthesise the array and a dense one with Yosys: area and longest path." };
        Option<int> seed = CommonOptions.Seed();
        Option<string?> json = CommonOptions.Json();
        var command = new Command("rtl", "Emit the array as SystemVerilog; check it against the simulator; synthesise it.")
        {
            folder, pattern, rows, cols, cluster, registered, multiplier, check, model, data, synth, seed, json,
        };
        command.Validators.Add(result =>
        {
            bool checks = result.GetValue(check);
            if (result.IsGiven(data) && !(checks && result.IsGiven(model)))
                result.AddError("--data belongs to --check with --model: its image is what the tile of the model is fed with.");
            if (result.IsGiven(model) && result.IsGiven(pattern) && !checks)
                result.AddError("--model has no effect beside --pattern without --check: give --check too, or leave one of them out.");
        });
        command.SetAction((parsed, cancellation) => Task.Run(() => // off this thread, so that Ctrl-C can wait for it
        {
            var output = new VerbOutput(parsed.GetValue(json));
            PackedInt8? source = parsed.GetValue(model) is { } path ? PackedInt8.Load(path) : null;
            ComplementaryPattern chosen = parsed.GetValue(pattern) ?? source?.Pattern ?? new ComplementaryPattern(1, 16);
            ArrayConfig config = chosen.Group == 1
                ? ArrayConfig.Dense(parsed.GetValue(rows), parsed.GetValue(cols))
                : ArrayConfig.Complementary(parsed.GetValue(rows), parsed.GetValue(cols), chosen);
            config = (config with
            {
                ClusterColumns = parsed.GetValue(cluster) ?? config.ClusterColumns,
                RegisteredSelection = parsed.GetValue(registered) ?? config.RegisteredSelection,
            }).Validated();
            string target = parsed.GetValue(folder)!;
            string multipliers = parsed.GetValue(multiplier) ?? (parsed.GetValue(synth) ? FullAdders : Operator);
            MultiplierStyle style = multipliers == FullAdders ? MultiplierStyle.FullAdders : MultiplierStyle.Operator;
            var options = new RtlOptions(style, Seed: parsed.GetValue(seed));
            IReadOnlyList<string> files = RtlGenerator.Emit(config, target, options);
            string[] names = [.. files.Select(Path.GetFileName).OfType<string>()];
            output.Human.WriteLine($"Wrote {files.Count} files to {target}: {string.Join(", ", names)}");

            RtlInfo? tile = null;
            SynthesisComparison? synthesis = null;
            if (parsed.GetValue(check))
            {
                tile = ProgressLine.RunShare(output.Human, "Building with Verilator and running a tile", _ => source is null
                    ? RtlStage.Check(config, RandomTile(config, parsed.GetValue(seed)), layer: null, names, options, cancellation).Info
                    : RtlStage.Run(source.Capture(parsed.GetValue(data)!), config, target, options, cancellation).Info);
                output.Human.WriteLine(tile.Status == "equal"
                    ? $"RTL = simulator, bit for bit and cycle for cycle: {tile.Rows}×{tile.Cols} PEs, {tile.Pixels} pixels, {tile.Cycles} "
                        + $"cycles{(tile.Layer is null ? ", random values" : $", layer {tile.Layer}")}."
                    : $"RTL check {tile.Status}: {tile.Reason}");
            }

            if (parsed.GetValue(synth))
            {
                synthesis = ProgressLine.RunShare(output.Human, "Synthesising with Yosys, dense and complementary", _ =>
                    new YosysDriver().Compare(config, style, cancellation));
                Print(output.Human, synthesis);
            }

            var result = new RtlJson(
                files, config.Rows, config.Columns, config.Pattern.ToString(), multipliers, tile, null, null, null, null, null, null, null,
                null, config.ClusterColumns, null);
            output.WriteJson(synthesis is null ? result : result.With(synthesis));
            if (tile?.Status == "different")
                throw new DovetailException($"The RTL differs from the simulator: {tile.Reason}");
            return tile is null or { Status: "equal" }
                ? 0
                : throw new DovetailException($"--check was asked for and could not be done: {tile.Reason}");
        }, CancellationToken.None));
        return command;
    }

    private static ArrayTile RandomTile(ArrayConfig config, int seed)
    {
        const int Pixels = 32;
        var random = new Random(seed);
        var weights = new sbyte[config.PeCount];
        var owners = new byte[config.PeCount];
        var lanes = new sbyte[Pixels * config.Rows * config.Lanes];
        for (int i = 0; i < weights.Length; i++)
            (weights[i], owners[i]) = ((sbyte)random.Next(-128, 128), (byte)random.Next(config.Lanes));
        for (int i = 0; i < lanes.Length; i++)
            lanes[i] = (sbyte)random.Next(-128, 128);
        return new ArrayTile(config.Rows, config.Columns, config.Lanes, Pixels, weights, owners, lanes);
    }

    private static void Print(IAnsiConsole console, SynthesisComparison result)
    {
        Table table = new Table().AddColumn("").AddColumn(new TableColumn("Dense").RightAligned())
            .AddColumn(new TableColumn("Complementary").RightAligned()).AddColumn(new TableColumn("Ratio").RightAligned());
        Row($"Area, {result.AreaUnit}, with skew registers and control", result.Dense.Area, result.Complementary.Area);
        Row("Area of the PEs and lanes", result.Dense.ArrayArea, result.Complementary.ArrayArea);
        foreach (ArrayComponent part in result.Components)
            Row(part.Unit == "area" ? $"  {part.Name}, {result.AreaUnit}" : part.Unit == "bits" ? $"  {part.Name}, bits" : $"  {part.Name}",
                part.Dense, part.Complementary, part.Unit == "area" ? "N1" : "N0");
        Row("Longest path, ns", result.Dense.CriticalPathNanoseconds, result.Complementary.CriticalPathNanoseconds);
        table.AddRow("Throughput per area, at equal clocks", "1", "", $"{result.ThroughputPerAreaGain:0.00}×");
        table.AddRow("… of the PEs and lanes alone", "1", "", $"{result.ArrayThroughputPerAreaGain:0.00}×");
        console.Write(table);
        ArrayConfig config = result.Config;
        console.WriteLine($"Both {config.Rows}×{config.Columns} PEs in clusters of {config.ClusterColumns}, {config.Pattern} against "
            + "dense; the area of a dense array depends on its clusters too. Memories for weights and activations are outside.");
        console.WriteLine($"{result.Library}: {result.Method}.");

        void Row(string name, double dense, double complementary, string format = "N1") => table.AddRow(
            name, dense.ToString(format, CultureInfo.InvariantCulture), complementary.ToString(format, CultureInfo.InvariantCulture),
            dense == 0 ? "" : $"{complementary / dense:0.000}");
    }

    /// <summary>A packed int8 model and what of it a tile is made from.</summary>
    private sealed record PackedInt8(OnnxModel Model, PackedModel Layers)
    {
        public ComplementaryPattern Pattern => Layers.Layers.First(layer => !layer.Weights.Pattern.IsDense).Weights.Pattern;

        public static PackedInt8 Load(string path)
        {
            ModelSource.CheckFile(path);
            OnnxModel model = OnnxModel.Load(path);
            PackedModel layers = PackedModelReader.Read(model);
            if (!layers.Layers.Any(layer => layer.Quantization is not null && !layer.Weights.Pattern.IsDense))
                throw new DovetailException($"'{path}' has no packed int8 layer; expected a model such as codesign's "
                    + $"{JobFolder.PackedInt8}.");
            return new PackedInt8(model, layers);
        }

        public IReadOnlyList<CapturedLayer> Capture(string data)
        {
            var images = new JobImages(FashionMnist.LoadNamedOrFolder(data));
            return CapturedLayer.Capture(Model, Layers, images.TestImage(0), images.Shape);
        }
    }
}
