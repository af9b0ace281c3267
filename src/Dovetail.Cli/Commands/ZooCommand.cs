using System.CommandLine;
using Dovetail.Onnx.Model;
using Dovetail.Onnx.Zoo;
using Spectre.Console;

namespace Dovetail.Cli.Commands;

/// <summary><c>dovetail zoo</c>: the networks that come with Dovetail, as ONNX files.</summary>
internal static class ZooCommand
{
    public static Command Create()
    {
        Option<string?> json = CommonOptions.Json();
        var list = new Command("list", "List the networks.") { json };
        list.SetAction(parsed =>
        {
            var output = new VerbOutput(parsed.GetValue(json));
            var table = new Table().AddColumns("Name", "Description");
            foreach (ZooModel model in ZooModels.Names)
                table.AddRow(Markup.Escape(model.Name), Markup.Escape(model.Description));
            output.Human.Write(table);
            output.Human.WriteLine("Use one with --model zoo:NAME, or write it to a file: dovetail zoo write NAME FILE.onnx");
            output.WriteJson(new { models = ZooModels.Names.Select(model => new { model.Name, model.Description }) });
            return 0;
        });

        var name = new Argument<string>("name") { Description = "Name from 'dovetail zoo list'." };
        var file = new Argument<FileInfo>("file") { Description = "The ONNX file to write." };
        Option<int> seed = CommonOptions.Seed();
        var write = new Command("write", "Write a network with random weights (from the seed) to an ONNX file.") { name, file, seed, json };
        write.SetAction(parsed =>
        {
            var output = new VerbOutput(parsed.GetValue(json));
            OnnxModel model = ZooModels.Create(parsed.GetValue(name)!, parsed.GetValue(seed));
            string path = parsed.GetValue(file)!.FullName;
            model.Save(path);
            output.Human.WriteLine($"Wrote {path}, {new FileInfo(path).Length:N0} bytes.");
            output.WriteJson(new { file = path, bytes = new FileInfo(path).Length, seed = parsed.GetValue(seed) });
            return 0;
        });
        return new Command("zoo", "The networks that come with Dovetail.") { list, write };
    }
}
