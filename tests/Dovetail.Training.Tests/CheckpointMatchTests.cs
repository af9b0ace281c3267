using System.Reflection;
using Dovetail.Core.Patterns;
using Dovetail.Data;
using Dovetail.Training.Engine;

namespace Dovetail.Training.Tests;

/// <summary>A checkpoint goes on only in a run that computes the same: every option that decides what is computed must be equal.</summary>
[Collection(TorchCollection.Name)]
public sealed class CheckpointMatchTests
{
    /// <summary>These decide how long it takes, what is looked at and where files lie.</summary>
    private static readonly string[] Free = ["Threads", "CheckpointPath", "Resume", "Test"];

    private static readonly Dictionary<string, (Func<TrainingOptions, TrainingOptions> Change, string Message)> Bound = new()
    {
        ["Method"] = (o => o with { Method = TrainingMethod.Static }, "its method is 'Growing' and this run's is 'Static'"),
        ["Pattern"] = (o => o with { Pattern = new ComplementaryPattern(1, 8) }, "its pattern is '2:8' and this run's is '1:8'"),
        ["Epochs"] = (o => o with { Epochs = 3 }, "its epochs is '2' and this run's is '3'"),
        ["BatchSize"] = (o => o with { BatchSize = 16 }, "its batch size is '32' and this run's is '16'"),
        ["LearningRate"] = (o => o with { LearningRate = 0.05 }, "its learning rate is '0.1' and this run's is '0.05'"),
        ["WarmUp"] = (o => o with { WarmUp = 0.1 }, "its warm-up is '0.05' and this run's is '0.1'"),
        ["Momentum"] = (o => o with { Momentum = 0.8 }, "its momentum is '0.9' and this run's is '0.8'"),
        ["WeightDecay"] = (o => o with { WeightDecay = 0 }, "its weight decay is '0.0005' and this run's is '0'"),
        ["MaskDecay"] = (o => o with { MaskDecay = 0 }, "its mask decay is '0.005' and this run's is '0'"),
        ["MaskInterval"] = (o => o with { MaskInterval = 4 }, "its mask interval is '5' and this run's is '4'"),
        ["FreezeAt"] = (o => o with { FreezeAt = 0.9 }, "its freeze at is '0.8' and this run's is '0.9'"),
        ["Seed"] = (o => o with { Seed = 8 }, "its seed is '7' and this run's is '8'"),
        ["ValidationImages"] = (o => o with { ValidationImages = 60 }, "its validation images is '64' and this run's is '60'"),
        ["Augmentation"] = (o => o with { Augmentation = Augmentation.Flip }, "its augmentation is 'None' and this run's is 'Flip'"),
        ["BFloat16"] = (o => o with { BFloat16 = true }, "its bf16 is 'off' and this run's is 'on'"),
        ["KeepHeadDense"] = (o => o with { KeepHeadDense = false }, "its head is 'dense' and this run's is 'under a mask'"),
        ["DenseLayers"] = (o => o with { DenseLayers = ["a.node"] }, "its dense layers is 'none' and this run's is 'a.node'"),
        ["TrainedTensors"] = (o => o with { TrainedTensors = ["b.b"] }, "its tensors to train is 'none' and this run's is 'b.b'"),
        ["FrozenTensors"] = (o => o with { FrozenTensors = ["b.b", "a.w"] },
            "its tensors to freeze is 'none' and this run's is 'a.w, b.b'"),
    };

    [Fact]
    public void Every_option_is_bound_or_free() => Assert.Equal(
        typeof(TrainingOptions).GetProperties(BindingFlags.Public | BindingFlags.Instance).Select(p => p.Name).Order(),
        Bound.Keys.Concat(Free).Order());

    [Fact]
    public void Another_setting_is_refused_with_what_was_found_and_what_was_expected()
    {
        using var folder = new TemporaryFolder();
        string path = folder.File("state");
        ImageDataset data = SmallModels.Stripes();
        var options = new TrainingOptions
        {
            Method = TrainingMethod.Growing,
            Pattern = new ComplementaryPattern(2, 8),
            Epochs = 2,
            BatchSize = 32,
            MaskInterval = 5,
            Threads = 1,
            BFloat16 = false,
            Seed = 7,
            CheckpointPath = path,
        };
        using var cancel = new CancellationTokenSource();
        Trainer.Train(SmallModels.Classifier(2), data, options, new Stop(cancel), cancel.Token);
        byte[] checkpoint = File.ReadAllBytes(path);
        options = options with { Resume = true };
        string Refusal(TrainingOptions changed, ImageDataset images) =>
            Assert.Throws<TrainingException>(() => Trainer.Train(SmallModels.Classifier(2), images, changed)).Message;

        ImageDataset renamed = data with { Name = "others" };
        Assert.All(Bound, option => Assert.Equal(
            $"The checkpoint {path} is of another run: {option.Value.Message}. Give the same options, or delete it to start anew.",
            Refusal(option.Value.Change(options), data)));
        Assert.Contains("its data is 'stripes, 640 images' and this run's is 'others, 640 images'", Refusal(options, renamed));
        var pixels = (byte[])data.Train.Pixels.Clone();
        pixels[100] ^= 1;
        ImageDataset edited = data with { Train = data.Train with { Pixels = pixels } };
        Assert.Contains("started from other weights or other images", Refusal(options, edited));

        Assert.Equal(checkpoint, File.ReadAllBytes(path));
        TrainingResult rest = Trainer.Train(SmallModels.Classifier(2), data, options with { Threads = 2, Test = true });
        Assert.True(rest.IsComplete);
        Assert.NotNull(rest.TestAccuracy);
    }

    private sealed class Stop(CancellationTokenSource cancel) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) => cancel.Cancel();
    }
}
