using Dovetail.Core.Packing;
using Dovetail.Core.Patterns;
using Dovetail.Core.Safetensors;
using Dovetail.Data;
using Dovetail.Onnx.Layers;
using Dovetail.Onnx.Model;
using Dovetail.Training.Engine;
using Dovetail.Training.Graph.Operators;
using TorchSharp;

namespace Dovetail.Training.Tests;

[Collection(TorchCollection.Name)]
public sealed class TrainerTests : IDisposable
{
    private static readonly ImageDataset Data = SmallModels.Stripes();
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private static TrainingOptions Options(TrainingMethod method) => new()
    {
        Method = method,
        Pattern = new ComplementaryPattern(2, 8),
        Epochs = 6,
        BatchSize = 32,
        LearningRate = 0.1,
        Threads = 1,
        BFloat16 = false,
        MaskInterval = 5,
        Seed = 7,
    };

    [Theory]
    [InlineData(TrainingMethod.Dense)]
    [InlineData(TrainingMethod.SrSte)]
    [InlineData(TrainingMethod.Growing)]
    [InlineData(TrainingMethod.Static)]
    public void Training_learns_and_the_result_satisfies_the_pattern_exactly(TrainingMethod method)
    {
        OnnxModel model = SmallModels.Classifier(1);
        byte[] before = model.ToBytes();
        TrainingResult result = Trainer.Train(model, Data, Options(method) with { Test = true });
        Assert.True(result.IsComplete);
        Assert.Equal(6, result.History.Count);
        Assert.True(result.History[^1].Loss < 0.7 * result.History[0].Loss, $"{result.History[0].Loss} → {result.History[^1].Loss}");
        Assert.InRange(result.TestAccuracy!.Value, 0.8, 1);
        Assert.Equal(result.TestAccuracy, Trainer.Evaluate(result.Model, Data, Data.Test));
        Assert.Equal(before, model.ToBytes());
        if (method == TrainingMethod.Dense)
        {
            Assert.Empty(result.Masks);
            return;
        }

        LayerMask mask = Assert.Single(result.Masks);
        Assert.Equal("b.w", mask.WeightName);
        WeightLayer layer = WeightLayers.Find(result.Model).Single(l => l.WeightName == "b.w");
        float[] weights = layer.GetWeights();
        Assert.All(weights.Zip(mask.Mask), p => Assert.True(p.Second || p.First == 0));
        Assert.Equal(weights.Length / 4, mask.Mask.Count(m => m));
        Assert.Equal(weights, Packer.Unpack(Packer.Pack<float>(weights, mask.Layout, mask.Mask)));
        Assert.Equal(0.25, result.History[^1].Density, 6);
        Assert.Equal(method != TrainingMethod.Static, result.History.Any(h => h.OwnerTurnover > 0));
    }

    [Theory]
    [InlineData(TrainingMethod.Growing, Augmentation.Flip, 10)] // while growing, in the first epoch
    [InlineData(TrainingMethod.Growing, Augmentation.None, 50)] // after growing
    [InlineData(TrainingMethod.SrSte, Augmentation.None, 90)] // frozen
    [InlineData(TrainingMethod.Dense, Augmentation.None, 54)] // at an epoch's end
    public void A_resumed_training_ends_where_the_uninterrupted_one_does(TrainingMethod method, Augmentation augmentation, int stopAt)
    {
        TrainingOptions options = Options(method) with { Augmentation = augmentation };
        TrainingResult whole = Trainer.Train(SmallModels.Classifier(2), Data, options);
        options = options with { CheckpointPath = _folder.File("deep/state.safetensors"), Resume = true };
        TrainingResult part = TrainUntil(stopAt, options);
        Assert.False(part.IsComplete);
        Assert.Equal(stopAt, part.Steps);
        TrainingResult rest = Trainer.Train(SmallModels.Classifier(2), Data, options);
        Assert.True(rest.IsComplete);
        AssertSame(whole, rest);
    }

    [Theory]
    [InlineData(TrainingMethod.Dense)]
    [InlineData(TrainingMethod.Growing)]
    [InlineData(TrainingMethod.SrSte)]
    public void A_cancelled_training_leaves_a_model_that_satisfies_the_pattern(TrainingMethod method)
    {
        TrainingResult result = TrainUntil(30, Options(method));
        Assert.Equal((30, false), (result.Steps, result.IsComplete));
        Assert.InRange(Trainer.Evaluate(result.Model, Data, Data.Test), 0.3, 1); // chance is 0.25
        foreach (LayerMask mask in result.Masks)
            Packer.Pack<float>(
                WeightLayers.Find(result.Model).Single(l => l.WeightName == mask.WeightName).GetWeights(), mask.Layout, mask.Mask);
    }

    [Fact]
    public void Cancelled_before_the_first_step_there_is_still_a_model()
    {
        using var cancelled = new CancellationTokenSource();
        cancelled.Cancel();
        TrainingResult result = Trainer.Train(SmallModels.Classifier(2), Data, Options(TrainingMethod.Growing), null, cancelled.Token);
        Assert.Equal(0, result.Steps);
        Assert.Equal(0.25, (double)result.Masks[0].Mask.Count(m => m) / result.Masks[0].Mask.Length, 6);
    }

    [Fact]
    public void Equal_seeds_give_equal_trainings_and_other_seeds_others()
    {
        TrainingOptions options = Options(TrainingMethod.Growing) with { Epochs = 2 };
        TrainingResult a = Trainer.Train(SmallModels.Classifier(2), Data, options),
            b = Trainer.Train(SmallModels.Classifier(2), Data, options);
        AssertSame(a, b);
        TrainingResult c = Trainer.Train(SmallModels.Classifier(2), Data, options with { Seed = 8 });
        Assert.NotEqual(a.History[0].Loss, c.History[0].Loss);
    }

    [Fact]
    public void A_checkpoint_of_another_run_or_model_or_a_damaged_one_is_refused()
    {
        string path = _folder.File("state");
        TrainingOptions options = Options(TrainingMethod.SrSte) with { CheckpointPath = path, Resume = true };
        TrainUntil(20, options);
        Assert.Contains(
            "is of another run: its seed is '7' and this run's is '8'", Refusal(SmallModels.Classifier(2), options with { Seed = 8 }));
        Assert.Contains(
            "is of another run: its method is 'SrSte' and this run's is 'Dense'",
            Refusal(SmallModels.Classifier(2), options with { Method = TrainingMethod.Dense }));
        OnnxModel other = SmallModels.Classifier(2);
        other.FindInitializer("head.w")!.Dims[0] = 5;
        other.FindInitializer("head.w")!.Write<float>(new float[160]);
        other.FindInitializer("head.b")!.Dims[0] = 5;
        other.FindInitializer("head.b")!.Write<float>(new float[5]);
        Assert.Contains("is of another model: ", Refusal(other, options));
        Assert.Contains("started from other weights or other images", Refusal(SmallModels.Classifier(99), options));

        byte[] good = File.ReadAllBytes(path);
        foreach (int length in (int[])[0, 7, 100, good.Length / 2, good.Length - 1])
        {
            File.WriteAllBytes(path, good[..length]);
            Assert.Contains($"The checkpoint {path} is damaged", Refusal(SmallModels.Classifier(2), options));
        }

        var flipped = (byte[])good.Clone();
        flipped[^5] ^= 1;
        File.WriteAllBytes(path, flipped);
        Assert.Contains("is damaged", Refusal(SmallModels.Classifier(2), options));
        File.WriteAllText(path, "not a checkpoint, just a text");
        Assert.Contains("is damaged", Refusal(SmallModels.Classifier(2), options));
    }

    /// <summary>Values that a checkpoint's own digests cover, and that no training has.</summary>
    [Theory]
    [InlineData("state", "null", "it says no state")]
    [InlineData("state", "{}", "its history of epochs is missing")]
    [InlineData("state", """{"Step":20,"History":null}""", "its history of epochs is missing")]
    [InlineData("state", """{"Step":20,"History":[null]}""", "has a hole")]
    [InlineData("state", """{"Step":-5,"History":[]}""", "it stands at step -5")]
    [InlineData("state", """{"Step":20,"History":[]}""", "expected at most 108 steps and one epoch for each 18")]
    [InlineData("state", """{"Step":5000,"History":[]}""", "it stands at step 5000")]
    [InlineData("state", """{"Step":3,"History":[],"Correct":7,"Seen":2}""", "it has 7 of 2 images right")]
    [InlineData("state", """{"Step":3,"History":[],"LossSum":1e999}""", "a loss of ")]
    [InlineData("state", "[", "is damaged")]
    [InlineData("run", "null", "it says no run")]
    [InlineData("run", "{}", "is of another run")]
    [InlineData("owners.b.w", "2", "expected 0 or 1")]
    [InlineData("owners.b.w", "1", "break 2:8")]
    [InlineData("mask.b.w", "0", "its mask lacks some of them")]
    [InlineData("shadow.b.w", "NaN", "expected a finite number")]
    public void A_checkpoint_that_says_what_no_training_does_is_refused_in_one_message(string what, string value, string says)
    {
        string path = _folder.File("state");
        TrainingOptions options = Options(TrainingMethod.Growing) with { CheckpointPath = path, Resume = true };
        TrainUntil(20, options);
        Rewrite(path, what, value);
        string message = Refusal(SmallModels.Classifier(2), options);
        Assert.Contains(says, message, StringComparison.Ordinal);
        Assert.Contains(path, message, StringComparison.Ordinal);
    }

    private static void Rewrite(string path, string what, string value)
    {
        Dictionary<string, string> metadata;
        List<SafetensorsEntry> entries = [];
        using (SafetensorsFile file = SafetensorsFile.Open(path))
        {
            metadata = file.Metadata.ToDictionary();
            foreach (SafetensorsTensor tensor in file.Tensors)
            {
                float[] values = file.ToArray<float>(tensor);
                if (tensor.Name == what)
                    Array.Fill(values, float.Parse(value, System.Globalization.CultureInfo.InvariantCulture));
                entries.Add(SafetensorsEntry.Of<float>(tensor.Name, SafetensorsDType.F32, [.. tensor.Shape], values));
            }
        }

        if (metadata.ContainsKey(what))
            metadata[what] = value;
        metadata["metadata_sha256"] = Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(
            System.Text.Encoding.UTF8.GetBytes(string.Join('\0', metadata["run"], metadata["state"], metadata["start"]))));
        metadata.Remove("payload_sha256"); // the writer says it anew
        SafetensorsWriter.Write(path, entries, metadata);
    }

    [Fact]
    public void Progress_counts_steps_and_carries_each_epochs_record()
    {
        var reports = new List<TrainingProgress>();
        TrainingResult result = Trainer.Train(
            SmallModels.Classifier(1), Data, Options(TrainingMethod.Growing) with { Epochs = 2 }, new Reports(reports.Add));
        Assert.Equal(result.History, reports.Select(r => r.CompletedEpoch).OfType<EpochRecord>());
        Assert.Equal(result.Steps, reports[^1].Step);
        Assert.Equal(reports.Select(r => r.Step).Order(), reports.Select(r => r.Step));
        Assert.All(reports, r => Assert.True(r.ImagesPerSecond > 0 && r.Steps == 36 && r.Epoch is 1 or 2 && r.Density is >= 0.25 and <= 1));
    }

    [Fact]
    public void Steps_leave_no_tensors_behind()
    {
        var counts = new List<long>();
        CollectGarbage(); // other tests' tensors
        Trainer.Train(
            SmallModels.Classifier(1), Data, Options(TrainingMethod.Growing), new Reports(_ => counts.Add(torch.Tensor.TotalCount)));
        // the first epoch's end adds the owners to compare the next one's with; from then on the number stays
        Assert.Single(counts.Skip(3).Distinct());
        long before = torch.Tensor.TotalCount;
        Trainer.Train(SmallModels.Classifier(1), Data, Options(TrainingMethod.SrSte) with { Epochs = 1 });
        Assert.Equal(before, torch.Tensor.TotalCount);
    }

    [Fact]
    public void A_loss_that_is_no_number_is_one_clear_message() =>
        Assert.Contains("the training diverged. Lower the learning rate",
            Assert.Throws<TrainingException>(
                () => Trainer.Train(SmallModels.Classifier(1), Data, Options(TrainingMethod.Dense) with { LearningRate = 1e20 })).Message);

    [Fact]
    public void Models_and_options_that_do_not_fit_are_refused()
    {
        Assert.Contains(
            "The training option Epochs is 0, expected at least 1.",
            Refusal(SmallModels.Classifier(1), Options(TrainingMethod.Dense) with { Epochs = 0 }));
        Assert.Contains("fill a batch of 700", Refusal(SmallModels.Classifier(1), Options(TrainingMethod.Dense) with { BatchSize = 700 }));
        Assert.Throws<PatternException>(
            () => Trainer.Train(
                SmallModels.Classifier(1), Data, Options(TrainingMethod.SrSte) with { Pattern = new ComplementaryPattern(1, 64) }));
        OnnxModel threeClasses = SmallModels.Model(
            ["N", 1, 8, 8], [SmallModels.Node("Flatten", ["x"], "f"), SmallModels.Node("MatMul", ["f", "w"], "y")],
            ("w", [64, 3], new float[192]));
        Assert.Contains("gives [1, 3] for one image of stripes, expected [1, 4]",
            Assert.Throws<GraphException>(() => Trainer.Train(threeClasses, Data, Options(TrainingMethod.Dense))).Message);
    }

    [Fact]
    public void BFloat16_learns_as_well()
    {
        TrainingResult result = Trainer.Train(SmallModels.Classifier(1), Data, Options(TrainingMethod.SrSte) with { BFloat16 = true });
        Assert.InRange(Trainer.Evaluate(result.Model, Data, Data.Test), 0.8, 1);
    }

    /// <summary>The test images are no images here, so that a look at them fails.</summary>
    [Fact]
    public void Test_images_are_looked_at_only_when_asked_and_at_the_end()
    {
        ImageDataset blind = Data with { Test = new ImageSet([], [0, 1]) };
        string path = _folder.File("state");
        TrainingOptions options = Options(TrainingMethod.Growing) with { Epochs = 2, CheckpointPath = path, Resume = true };
        using (var cancel = new CancellationTokenSource())
        {
            var stop = new Reports(_ => cancel.Cancel());
            TrainingResult part = Trainer.Train(SmallModels.Classifier(2), blind, options with { Test = true }, stop, cancel.Token);
            Assert.Equal((false, null), (part.IsComplete, part.TestAccuracy));
        }

        TrainingResult whole = Trainer.Train(SmallModels.Classifier(2), blind, options);
        Assert.Equal((true, null), (whole.IsComplete, whole.TestAccuracy));
        Assert.ThrowsAny<Exception>(() => Trainer.Train(SmallModels.Classifier(2), blind, options with { Test = true }));
        TrainingResult tested = Trainer.Train(SmallModels.Classifier(2), Data, options with { Test = true });
        Assert.Equal(Trainer.Evaluate(whole.Model, Data, Data.Test), tested.TestAccuracy);
    }

    /// <summary>
    /// Of 16 channels 2:12 makes a cell of 12 and one of 4: a quarter is left, more than 2/12. The checkpoint is written before the model
    /// is, so what it holds are the statistics that training gathered.
    /// </summary>
    [Fact]
    public void A_complete_training_with_tail_cells_keeps_its_statistics()
    {
        var tails = new ComplementaryPattern(2, 12);
        TrainingOptions options = Options(TrainingMethod.Growing) with { Pattern = tails, CheckpointPath = _folder.File("state") };
        TrainingResult result = Trainer.Train(SmallModels.Classifier(1), Data, options);
        Assert.True(result.IsComplete);
        Assert.Equal(0.25, result.History[^1].Density, 6);
        using SafetensorsFile checkpoint = SafetensorsFile.Open(options.CheckpointPath!);
        foreach (string name in (string[])["n.mean", "n.var"])
            Assert.Equal(checkpoint.ToArray<float>(checkpoint.Get($"buffer.{name}")), result.Model.FindInitializer(name)!.Read<float>());
    }

    private static void AssertSame(TrainingResult a, TrainingResult b)
    {
        Assert.Equal(a.History.Select(h => h with { Seconds = 0 }), b.History.Select(h => h with { Seconds = 0 }));
        foreach (TensorProto tensor in a.Model.Graph.Initializers)
            Assert.Equal(tensor.Read<float>(), b.Model.FindInitializer(tensor.Name)!.Read<float>());
        Assert.Equal(a.Masks.SelectMany(m => m.Mask), b.Masks.SelectMany(m => m.Mask));
        Assert.Equal((a.ValidationAccuracy, a.TestAccuracy), (b.ValidationAccuracy, b.TestAccuracy));
    }

    private static void CollectGarbage()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
    }

    private static string Refusal(OnnxModel model, TrainingOptions options) =>
        Assert.Throws<TrainingException>(() => Trainer.Train(model, Data, options)).Message;

    // Reports come every ten steps and at epochs' ends: steps to stop at are among those.
    private static TrainingResult TrainUntil(int step, TrainingOptions options)
    {
        using var cancel = new CancellationTokenSource();
        var stop = new Reports(report =>
        {
            if (report.Step >= step)
                cancel.Cancel();
        });
        return Trainer.Train(SmallModels.Classifier(2), Data, options, stop, cancel.Token);
    }

    private sealed class Reports(Action<TrainingProgress> report) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) => report(value);
    }
}
