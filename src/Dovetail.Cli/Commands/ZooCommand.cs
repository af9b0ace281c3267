using System.CommandLine;
using Dovetail.Cli.Reports.Results;
using Dovetail.Cli.Terminal;
using Dovetail.Core.Patterns;
using Dovetail.Onnx.Model;
using Dovetail.Onnx.Pruning;
using Dovetail.Onnx.Zoo;
using Spectre.Console;

namespace Dovetail.Cli.Commands;

/// <summary><c>dovetail zoo</c>: the networks that come with Dovetail, as ONNX files.</summary>
internal static class ZooCommand
{
    public static Command Create() => new("zoo", "The networks that come with Dovetail.") { List(), Write() };

    private static Command List()
    {
        Option<string?> json = CommonOptions.Json();
        var list = new Command("list", "List the networks.") { json };
        list.SetAction(parsed =>
        {
            var output = new VerbOutput(parsed.GetValue(json));
            var table = new Table().AddColumns("Name", "Input", "Description");
            foreach (ZooModel model in ZooModels.Names)
                table.AddRow(Markup.Escape(model.Name), Markup.Escape(Shape(model)), Markup.Escape(model.Description));
            output.Human.Write(table);
            output.Human.WriteLine("Use one with --model zoo:NAME, or write it to a file: dovetail zoo write NAME FILE.onnx");
            output.WriteJson(
                new ZooListJson(
                    [.. ZooModels.Names.Select(model => new ZooModelJson(model.Name, model.Description, model.InputName, Shape(model)))]));
            return 0;
        });
        return list;
    }

    private static Command Write()
    {
        var name = new Argument<string>("NAME") { Description = "Name from 'dovetail zoo list'." };
        var file = new Argument<FileInfo?>("FILE") { Description = "The ONNX file to write; or --out.", Arity = ArgumentArity.ZeroOrOne };
        Option<FileInfo?> target = new("--out", "-o")
        {
            Description = "The ONNX file to write, as in other verbs.",
            HelpName = "FILE.onnx",
        };
        Option<int> seed = CommonOptions.Seed();
        Option<ComplementaryPattern?> pattern = new("--pattern")
        {
            Description = "Zero all but the greatest random weights of every cell, so that the file can be packed at once: for measuring, "
                + "not for accuracy.",
            HelpName = "PATTERN",
            CustomParser = CommonOptions.Pattern,
        };
        Option<int?> depth = new("--depth") { Description = "Blocks of a transformer. Default: as published.", HelpName = "N" };
        Option<int?> image = new("--image-size")
        {
            Description = "Height and width of the image. Default: as published.",
            HelpName = "PIXELS",
        };
        Option<string?> json = CommonOptions.Json();
        var write = new Command("write", "Write a network with random weights (from the seed) to an ONNX file.") {
            name, file, target, seed, pattern, depth, image, json };
        write.Validators.Add(result =>
        {
            if (result.GetValue(file) is null == result.GetValue(target) is null)
                result.AddError("Expected one file to write: 'zoo write NAME FILE.onnx' or 'zoo write NAME --out FILE.onnx'.");
        });
        write.SetAction(parsed =>
        {
            var output = new VerbOutput(parsed.GetValue(json));
            string path = (parsed.GetValue(file) ?? parsed.GetValue(target))!.FullName;
            var options = new ZooOptions { Depth = parsed.GetValue(depth), ImageSize = parsed.GetValue(image) };
            ComplementaryPattern? chosen = parsed.GetValue(pattern);
            int layers = 0;
            output.Human.Status().Start("Random weights", status =>
            {
                OnnxModel model = ZooModels.Create(parsed.GetValue(name)!, parsed.GetValue(seed), options);
                if (chosen is not null)
                {
                    status.Status(Markup.Escape($"Projecting onto {chosen}"));
                    PruningResult pruned = PruningPass.Prune(model, chosen, new PruningOptions { Head = true });
                    (model, layers) = (pruned.Model, pruned.Layers.Count(layer => layer.Pattern is not null));
                }

                status.Status("Writing");
                model.Save(path);
            });
            string said = chosen is null ? "" : $"; {layers} layers satisfy {chosen}";
            output.Human.WriteLine($"Wrote {path}, {new FileInfo(path).Length:N0} bytes{said}.");
            output.WriteJson(new ZooWriteJson(path, new FileInfo(path).Length, parsed.GetValue(seed), chosen?.ToString(), layers));
            return 0;
        });
        return write;
    }

    private static string Shape(ZooModel model) => $"{model.InputName} [{string.Join(", ", model.InputShape)}]";
}
