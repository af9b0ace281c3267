using System.CommandLine;
using Dovetail.Cli.Codesign;
using Dovetail.Cli.Reports;
using Dovetail.Cli.Reports.Results;
using Dovetail.Cli.Terminal;
using Dovetail.Core.Patterns;

namespace Dovetail.Cli.Commands;

/// <summary><c>dovetail codesign</c>: the whole path, from data to a report.</summary>
internal static class CodesignCommand
{
    public static Command Create()
    {
        Option<string> model = CommonOptions.Model(), data = CommonOptions.Data(), method = CommonOptions.Method(TrainingMethods.Sparse);
        Option<ComplementaryPattern> pattern = CommonOptions.Pattern();
        Option<int?> epochs = CommonOptions.Epochs();
        Option<int> seed = CommonOptions.Seed();
        Option<string> folder = new("--out", "-o")
        {
            Description = "Folder for models, RTL, result.json and report.html.",
            HelpName = "DIR",
            DefaultValueFactory = _ => "dovetail-out",
        };
        Option<bool> resume = new("--resume") { Description = "Go on from the checkpoints in --out, with the same options as before." };
        Option<int> threads = CommonOptions.Threads(Environment.ProcessorCount, "training and evaluation");
        Option<int> benchThreads = CommonOptions.Positive("--bench-threads", "Threads of the CPU measurement.", 1);
        Option<int> rows = CommonOptions.Positive("--rows", "Rows of the simulated array.", 16),
            cols = CommonOptions.Positive("--cols", "Columns of the simulated array.", 16);
        Option<string?> json = CommonOptions.Json();
        var command = new Command("codesign", "The whole path: train dense and complementary, pack, prove agreement, measure, simulate, "
            + "check the RTL, report.")
        {
            model, data, pattern, method, epochs, seed, folder, resume, threads, benchThreads, rows, cols, json,
        };
        command.SetAction((parsed, cancellation) => Task.Run(() => // off this thread, so that Ctrl-C can wait for it
        {
            var output = new VerbOutput(parsed.GetValue(json));
            var options = new CodesignOptions(
                parsed.GetValue(model)!, parsed.GetValue(data)!, parsed.GetValue(pattern)!, parsed.GetValue(method)!,
                parsed.GetValue(epochs), parsed.GetValue(seed), parsed.GetValue(folder)!, parsed.GetValue(resume),
                parsed.GetValue(threads), parsed.GetValue(benchThreads), parsed.GetValue(rows), parsed.GetValue(cols),
                "./dovetail " + string.Join(' ', parsed.Tokens.Select(token => Reproduction.Quote(token.Value))));
            CodesignResult result = new CodesignJob(options, output.Human).Run(cancellation);
            ConsoleSummary.Write(output.Human, result, Path.Combine(options.Folder, JobFolder.Report));
            output.WriteJsonText(ResultJson.Serialize(result));
            CodesignJob.CheckAgreement(result);
            return 0;
        }, CancellationToken.None));
        return command;
    }
}
