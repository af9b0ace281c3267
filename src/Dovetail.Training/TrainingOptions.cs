using Dovetail.Core.Patterns;
using Dovetail.Data;

namespace Dovetail.Training;

/// <summary>Everything that decides what a training computes, apart from model and data. Defaults as in docs/training.md.</summary>
public sealed record TrainingOptions
{
    public required TrainingMethod Method { get; init; }

    /// <summary>The pattern; ignored by <see cref="TrainingMethod.Dense"/>.</summary>
    public ComplementaryPattern Pattern { get; init; } = new(1, 16);

    public required int Epochs { get; init; }

    public int BatchSize { get; init; } = 128;

    /// <summary>The greatest learning rate: reached after the warm-up, falling to 0 along a cosine.</summary>
    public double LearningRate { get; init; } = 0.1;

    /// <summary>Share of the steps in which the learning rate rises.</summary>
    public double WarmUp { get; init; } = 0.05;

    /// <summary>Nesterov's.</summary>
    public double Momentum { get; init; } = 0.9;

    /// <summary>L2 on the weights of layers; biases, scales and batch norm have none.</summary>
    public double WeightDecay { get; init; } = 5e-4;

    /// <summary>λ of SR-STE: the extra decay of shadow weights outside the mask.</summary>
    public double MaskDecay { get; init; } = 5e-3;

    /// <summary>Steps between two mask updates, dT.</summary>
    public int MaskInterval { get; init; } = 10;

    /// <summary>Share of the steps after which the owners stay and the shadow is cut to the mask.</summary>
    public double FreezeAt { get; init; } = 0.8;

    /// <summary>Decides the validation split, the order of images, augmentation and static owners.</summary>
    public int Seed { get; init; } = 1;

    /// <summary>Threads of libtorch; null for one a processor.</summary>
    public int? Threads { get; init; }

    /// <summary>Training images held out; null for a tenth of them, at most 5,000.</summary>
    public int? ValidationImages { get; init; }

    public Augmentation Augmentation { get; init; }

    /// <summary>Convolutions and products in bf16 while training; null where the CPU computes it natively. Evaluation is fp32.</summary>
    public bool? BFloat16 { get; init; }

    /// <summary>False to prune the last fully connected layer too, which is small and sensitive.</summary>
    public bool KeepHeadDense { get; init; } = true;

    /// <summary>Names of further layers that stay dense.</summary>
    public IReadOnlyList<string> DenseLayers { get; init; } = [];

    /// <summary>Names of constants that are learned although the rule (docs/training.md, section 3) would leave them.</summary>
    public IReadOnlyList<string> TrainedTensors { get; init; } = [];

    /// <summary>Names of tensors that stay although the rule would learn them. A layer whose weights stay is under no mask.</summary>
    public IReadOnlyList<string> FrozenTensors { get; init; } = [];

    /// <summary>Looks at the test images, once, when the last step is done.</summary>
    public bool Test { get; init; }

    /// <summary>Where the state is kept after every epoch and on cancellation; null for nowhere.</summary>
    public string? CheckpointPath { get; init; }

    /// <summary>Goes on from <see cref="CheckpointPath"/> where that file exists.</summary>
    public bool Resume { get; init; }

    /// <summary>Epochs for a short training of the default network: about 1,300 steps of the full set, fewer of a small one.</summary>
    public static int DefaultEpochs(ImageDataset data)
    {
        ArgumentNullException.ThrowIfNull(data);
        return data.Train.Count >= 30_000 ? 3 : 12;
    }

    /// <summary>Images held out of so many training images.</summary>
    public int ValidationCount(int images) => ValidationImages ?? Math.Min(5000, images / 10);

    /// <summary>
    /// With fewer updates of the masks while the density falls, each drops so much at once that a network visibly loses accuracy
    /// (docs/training.md).
    /// </summary>
    public const int LeastGrowthUpdates = 10;

    /// <summary>Steps that <see cref="Epochs"/> take on so many images, those held out for validation included in the number.</summary>
    public int Steps(int images) => checked((images - ValidationCount(images)) / BatchSize * Epochs);

    /// <summary>How many updates of the masks bring the density of <see cref="TrainingMethod.Growing"/> down to the pattern's.</summary>
    public int GrowthUpdates(int images)
    {
        int steps = Steps(images);
        return (int)Math.Ceiling(DensityEnd * steps / MaskInterval) - (int)(Sparsity.DensitySchedule.Start * steps / MaskInterval);
    }

    /// <exception cref="TrainingException">A value is out of its range; the message names it.</exception>
    internal void Check()
    {
        Require(Epochs >= 1, nameof(Epochs), Epochs, "at least 1");
        Require(BatchSize >= 2, nameof(BatchSize), BatchSize, "at least 2 (batch statistics need two images)");
        Require(LearningRate > 0 && double.IsFinite(LearningRate), nameof(LearningRate), LearningRate, "above 0");
        Require(WarmUp is >= 0 and < 1, nameof(WarmUp), WarmUp, "0 to below 1");
        Require(Momentum is >= 0 and < 1, nameof(Momentum), Momentum, "0 to below 1");
        Require(WeightDecay >= 0, nameof(WeightDecay), WeightDecay, "0 or more");
        Require(MaskDecay >= 0, nameof(MaskDecay), MaskDecay, "0 or more");
        Require(MaskInterval >= 1, nameof(MaskInterval), MaskInterval, "at least 1");
        Require(FreezeAt is >= DensityEnd and <= 1, nameof(FreezeAt), FreezeAt, $"{DensityEnd} (where growing ends) to 1");
        Require(Threads is null or >= 1, nameof(Threads), Threads ?? 0, "at least 1");
        Require(ValidationImages is null or >= 1, nameof(ValidationImages), ValidationImages ?? 0, "at least 1");
        Require(!Resume || CheckpointPath is not null, nameof(Resume), 1, "given together with a checkpoint path");
    }

    private const double DensityEnd = Sparsity.DensitySchedule.End;

    private static void Require(bool holds, string name, double found, string expected)
    {
        if (!holds)
            throw new TrainingException($"The training option {name} is {found}, expected {expected}.");
    }
}
