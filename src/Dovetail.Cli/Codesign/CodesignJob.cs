using System.Diagnostics;
using Dovetail.Accelerator.Config;
using Dovetail.Benchmarking;
using Dovetail.Cli.Reports;
using Dovetail.Cli.Reports.Results;
using Dovetail.Cli.Terminal;
using Dovetail.Core;
using Dovetail.Data;
using Dovetail.Onnx.Layers;
using Dovetail.Onnx.Model;
using Dovetail.Rtl.Emit;
using Dovetail.Training;
using Dovetail.Training.Native;
using Spectre.Console;

namespace Dovetail.Cli.Codesign;

/// <summary>
/// The main job: train, export, prove agreement, measure, simulate, check the RTL, report. Bad input is found
/// before training starts. A difference between two executions fails the job after the report is written.
/// </summary>
internal sealed class CodesignJob(CodesignOptions options, IAnsiConsole console)
{
    private readonly Stopwatch _time = Stopwatch.StartNew();

    /// <exception cref="DovetailException">Bad input, or two executions that should agree do not.</exception>
    /// <exception cref="InterruptedException">Ctrl-C during training; what was saved is in the message.</exception>
    public CodesignResult Run(CancellationToken cancellation)
    {
        ImageDataset data = FashionMnist.LoadNamedOrFolder(options.Data);
        OnnxModel model = ModelSource.Load(options.Model, options.Seed);
        WeightLayers.FindFitting(model, options.Pattern);
        ArrayConfig.Complementary(options.Rows, options.Columns, options.Pattern); // refuses what the array cannot select by
        using var folder = JobFolder.Open(options.Folder);
        TrainingStage.CheckResume(options, folder);
        if (!options.Resume)
            folder.Clear(); // what an earlier job left must not be taken for this one's
        Announce(data, model, folder);
        LibTorchSetup.Ensure(console, cancellation);

        TrainingStage.Outcome trained = null!;
        ExportedModels exported = null!;
        AgreementStage.Outcome agreement = null!;
        SpeedInfo speed = null!;
        SimulationStage.Outcome simulation = null!;
        RtlStage.Outcome rtl = null!;
        ProgressLine.Columns(console)
            .Start(context =>
            {
                var stages = new JobProgress(context);
                trained = TrainingStage.Run(options, model, data, folder, stages.Training, cancellation);
                var images = new JobImages(data);
                exported = stages.Run("Export and quantize", 2, step => ExportStage.Run(
                    trained.Dense.Model, trained.Complementary.Model, options.Pattern, images, folder, options.Threads, step,
                    cancellation));
                agreement = stages.Run("Accuracy and agreement", 8, step => AgreementStage.Run(
                    exported, images, options.Threads, options.Seed, step, cancellation));
                int packedLayers = exported.Packed.Layers.Count(layer => layer.Pattern is not null);
                speed = stages.Run("Measure this CPU", 1 + packedLayers, step => BenchStage.Run(
                    new NetworkPair(exported.Packed.Model, exported.Dense), options.BenchThreads, batch: 1, options.Seed, step,
                    cancellation));
                simulation = stages.Run("Simulate the array", agreement.Captured.Count, step => SimulationStage.Run(
                    agreement.Captured, options.Pattern, options.Rows, options.Columns, step, cancellation));
                rtl = stages.Run("Check the RTL", 1, step =>
                {
                    RtlStage.Outcome outcome = RtlStage.Run(
                        agreement.Captured, ArrayConfig.Complementary(RtlStage.DefaultRows, RtlStage.DefaultColumns, options.Pattern),
                        folder.File(JobFolder.Rtl), new RtlOptions(Command: options.CommandLine, Seed: options.Seed), cancellation);
                    step(outcome.Info.Status);
                    return outcome;
                });
            });

        CodesignResult result = Collect(data, folder, trained, exported, agreement, speed, simulation, rtl);
        HtmlReport.Write(folder.File(JobFolder.Report), result);
        ResultJson.Write(folder.File(JobFolder.Result), result);
        return result;
    }

    /// <summary>Fails where two executions differ or could not be compared; called when everything else is written and shown.</summary>
    public static void CheckAgreement(CodesignResult result)
    {
        if (result.Equality.FirstOrDefault(check => check.Status == "different") is { } broken)
            throw new DovetailException($"Two executions differ that must agree: {broken.Name} (greatest difference "
                + $"{broken.MaxDifference:g3}, allowed {broken.Tolerance:g3}; {broken.Detail}). The report is written; please file it "
                + "as a bug.");
        if (result.Equality.FirstOrDefault(check => check.Status == "failed") is { } failed)
            throw new DovetailException($"A check could not be done: {failed.Name}: {failed.Detail.TrimEnd('.')}. The report is written.");
    }

    private void Announce(ImageDataset data, OnnxModel model, JobFolder folder)
    {
        console.WriteLine($"Model   {options.Model}, {WeightLayers.Find(model).Sum(layer => (long)layer.Shape.Count):N0} weights");
        console.WriteLine($"Data    {data.Name}: {data.Train.Count:N0} training and {data.Test.Count:N0} test images ({data.Source})");
        if (data.Source.IsSample)
            console.WriteLine("        This is the embedded sample; the full set: ./dovetail data get fashion-mnist");
        console.WriteLine($"Pattern {options.Pattern}, sparsity {options.Pattern.Sparsity:0.##%}, seed {options.Seed}");
        console.WriteLine($"Output  {folder.Path}");
        console.WriteLine();
    }

    private CodesignResult Collect(
        ImageDataset data, JobFolder folder, TrainingStage.Outcome trained, ExportedModels exported, AgreementStage.Outcome agreement,
        SpeedInfo speed, SimulationStage.Outcome simulation, RtlStage.Outcome rtl)
    {
        int validation = new TrainingOptions { Method = TrainingMethod.Dense, Epochs = 1 }.ValidationCount(data.Train.Count);
        TorchRuntimeState torch = TorchRuntime.Describe();
        ModelSummary summary = ModelSummary.Of(options.Model, exported);
        return new CodesignResult
        {
            Seed = options.Seed,
            Environment = new EnvironmentInfo(
                MachineFacts.Version, MachineFacts.Commit, MachineFacts.Cpu, Environment.ProcessorCount,
                string.Join(", ", MachineFacts.InstructionSets),
                MachineFacts.Os, MachineFacts.Runtime, MachineFacts.OnnxRuntimeVersion,
                $"{torch.Version}{(torch.IsPatched ? " (TorchSharp's library patched for this libstdc++)" : "")}",
                options.CommandLine, _time.Elapsed.TotalSeconds, MachineFacts.PeakMemoryMegabytes),
            Data = new DataInfo(
                data.Source.IsSample ? $"{data.Name}-sample" : data.Name, data.Source.ToString(),
                data.Train.Count, validation, data.Test.Count),
            Model = summary.Info,
            Pattern = options.Pattern.ToString(),
            Sparsity = summary.Sparsity,
            Training = trained.Info,
            Accuracy = agreement.Accuracy,
            Bytes = summary.Bytes(folder),
            Equality = [.. agreement.Checks, .. simulation.Checks, rtl.Check],
            OnnxRuntimeInt8 = agreement.OnnxRuntimeInt8,
            Speed = speed,
            Accelerator = simulation.Info,
            Rtl = rtl.Info,
            Mask = MaskPictures.Of(PackedModelReader.Read(exported.Packed.Model)),
            Files = JobFiles.List(folder),
            Commands = Reproduction.Commands(options),
            Notes = [.. Notes(data, agreement, rtl.Info), .. simulation.Notes],
        };
    }

    private List<string> Notes(ImageDataset data, AgreementStage.Outcome agreement, RtlInfo rtl)
    {
        var notes = new List<string>();
        if (data.Source.IsSample)
            notes.Add($"The data are the embedded sample of {data.Train.Count:N0} + {data.Test.Count:N0} images, not the full set; "
                + "accuracies are lower than with it. Bring the full set with ./dovetail data get fashion-mnist.");
        if (options.Resume)
            notes.Add("The job was resumed: training seconds are summed over its runs, and the total time is that of the last one.");
        if (rtl.Status is "skipped" or "failed")
            notes.Add($"The RTL was not checked: {rtl.Reason}");
        if (agreement.OnnxRuntimeInt8.MaxBy(network => network.DifferingShare) is { DifferingShare: > 0 } worst)
            notes.Add(
                $"ONNX Runtime's own int8 layers are not exact on this CPU: {worst.DifferingShare:0.0#%} of the outputs of the "
                + $"{worst.Network} "
                + $"network's layers differ from the scalar reference, by up to {worst.MaxDifferenceSteps} steps. The packed operators are "
                    + "exact. "
                + "Accuracies of plain ONNX Runtime's int8 networks are what it gives here.");
        double error = 100 * Math.Sqrt(2 * 0.09 / data.Test.Count); // of a difference of two accuracies near 90 %
        notes.Add($"One seed and a short training: a difference of accuracy has a standard error of about {error:0.0#} points on "
            + $"{data.Test.Count:N0} test images, and other seeds add to it.");
        if (agreement.FloatLayers.Count > 0)
            notes.Add($"Not on the array, as their activations stay floating point in the packed int8 network: "
                + $"{string.Join(", ", agreement.FloatLayers)}. 'dovetail simulate packed_int8.onnx' counts them too.");
        notes.Add("Speeds are medians of runs that alternate between dense and packed in this process; the ratio is what to read, as the "
            + "machine may be shared.");
        return notes;
    }
}
