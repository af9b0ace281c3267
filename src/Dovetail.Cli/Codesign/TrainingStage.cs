using Dovetail.Cli.Reports.Results;
using Dovetail.Cli.Terminal;
using Dovetail.Core;
using Dovetail.Data;
using Dovetail.Onnx.Model;
using Dovetail.Training;
using Dovetail.Training.Engine;

namespace Dovetail.Cli.Codesign;

/// <summary>
/// Trains the dense and then the complementary network from the same initial weights, with the same epochs.
/// Ctrl-C leaves a checkpoint and a usable model; --resume goes on from there.
/// </summary>
internal static class TrainingStage
{
    public sealed record Outcome(TrainingResult Dense, TrainingResult Complementary, TrainingPair Info);

    public static Outcome Run(
        CodesignOptions options, OnnxModel model, ImageDataset data, JobFolder folder,
        Action<string, TrainingProgress> progress, CancellationToken cancellation)
    {
        int epochs = options.Epochs ?? TrainingOptions.DefaultEpochs(data);
        var common = new TrainingOptions
        {
            Method = TrainingMethod.Dense,
            Pattern = options.Pattern,
            Epochs = epochs,
            Seed = options.Seed,
            Threads = options.Threads,
            Resume = options.Resume,
        };
        TrainingResult dense = Train(
            "dense", common with { CheckpointPath = folder.File(JobFolder.DenseCheckpoint) }, JobFolder.Dense);
        TrainingMethod method = TrainingMethods.Parse(options.Method);
        TrainingResult complementary = Train(
            "complementary", common with { Method = method, CheckpointPath = folder.File(JobFolder.ComplementaryCheckpoint) },
            JobFolder.Sparse);
        return new Outcome(dense, complementary, new TrainingPair(
            Describe(dense, TrainingMethods.Name(TrainingMethod.Dense), epochs),
            Describe(complementary, TrainingMethods.Name(method), epochs)));

        TrainingResult Train(string name, TrainingOptions training, string modelFile)
        {
            TrainingResult result = Trainer.Train(
                model, data, training, new ImmediateProgress<TrainingProgress>(step => progress(name, step)), cancellation);
            result.Model.Save(folder.File(modelFile));
            if (!result.IsComplete)
                throw new InterruptedException(
                    $"Interrupted in the {name} training after {result.Steps} steps. {modelFile} (validation accuracy "
                    + $"{result.ValidationAccuracy:0.0%}) " +
                    $"and the checkpoint are in '{options.Folder}'. Go on with the same command and --resume.");
            return result;
        }
    }

    /// <summary>Refuses --resume where there is nothing to go on from, before anything long starts.</summary>
    public static void CheckResume(CodesignOptions options, JobFolder folder)
    {
        if (options.Resume && !File.Exists(folder.File(JobFolder.DenseCheckpoint)))
            throw new DovetailException($"--resume was given, but '{options.Folder}' holds no {JobFolder.DenseCheckpoint}. Start without "
                + "--resume, or give the --out of the interrupted job.");
    }

    private static TrainingInfo Describe(TrainingResult result, string method, int epochs) => new(
        method, epochs, result.History.Sum(epoch => epoch.Seconds), !result.IsComplete,
        [.. result.History.Select(epoch => new EpochInfo(
            epoch.Epoch, epoch.Loss, epoch.TrainAccuracy, epoch.ValidationAccuracy, epoch.Density, epoch.OwnerTurnover, epoch.Seconds))]);
}
