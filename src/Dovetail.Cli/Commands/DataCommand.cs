using System.CommandLine;
using Dovetail.Cli.Reports.Results;
using Dovetail.Cli.Terminal;
using Dovetail.Data;
using Spectre.Console;

namespace Dovetail.Cli.Commands;

/// <summary><c>dovetail data</c>: which data sets are here, and how to bring the full ones.</summary>
internal static class DataCommand
{
    public static Command Create()
    {
        Option<string?> json = CommonOptions.Json();
        var list = new Command("list", "Show the data sets and where they come from on this machine.") { json };
        list.SetAction(parsed =>
        {
            var output = new VerbOutput(parsed.GetValue(json));
            ImageDataset data = FashionMnist.Load();
            output.Human.Write(new Table().AddColumns("Name", "Training images", "Test images", "Source")
                .AddRow(data.Name, $"{data.Train.Count:N0}", $"{data.Test.Count:N0}", Markup.Escape(data.Source.ToString())));
            if (data.Source.IsSample)
                output.Human.WriteLine("This is the embedded sample. The full set: dovetail data get fashion-mnist");
            output.WriteJson(new DataListJson([new DatasetJson(data.Name, data.Train.Count, data.Test.Count, data.Source.ToString())]));
            return 0;
        });

        var name = new Argument<string>("NAME") { Description = "fashion-mnist" };
        name.AcceptOnlyFromAmong(FashionMnist.Name);
        var get = new Command(
            "get", "Bring a full data set: from its Debian package where installed, else by HTTPS (checked, resumable).") { name, json };
        get.SetAction(async (parsed, cancellation) =>
        {
            var output = new VerbOutput(parsed.GetValue(json));
            DatasetSource source = await ProgressLine.On(output.Human)
                .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new DownloadedColumn(), new RemainingTimeColumn())
                .StartAsync(context =>
                {
                    var tasks = new Dictionary<string, ProgressTask>();
                    return DatasetInstaller.GetFashionMnistAsync(new ImmediateProgress<DownloadProgress>(progress =>
                    {
                        if (!tasks.TryGetValue(progress.File, out ProgressTask? task))
                            tasks[progress.File] = task = context.AddTask(progress.File, maxValue: progress.TotalBytes);
                        task.Value = progress.Bytes;
                    }), cancellation);
                });
            ImageDataset data = FashionMnist.Load(source);
            output.Human.WriteLine($"{data.Name}: {data.Train.Count:N0} training and {data.Test.Count:N0} test images ({source}).");
            output.WriteJson(new DataGetJson(data.Name, data.Train.Count, data.Test.Count, source.ToString()));
            return 0;
        });
        return new Command("data", "Data sets: list them, bring the full ones.") { list, get };
    }
}
