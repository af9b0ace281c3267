namespace Dovetail.Training;

/// <summary>Where a training stands; reported every few steps and at every epoch's end.</summary>
/// <param name="Epoch">1 … Epochs.</param>
/// <param name="Epochs">Of the whole training.</param>
/// <param name="Step">Steps done, of the whole training.</param>
/// <param name="Steps">Of the whole training.</param>
/// <param name="Loss">Mean of the epoch so far.</param>
/// <param name="Accuracy">On training images, of the epoch so far, 0 … 1.</param>
/// <param name="Density">Share of non-zeros in the layers under masks.</param>
/// <param name="ImagesPerSecond">Since the start or the resumption.</param>
/// <param name="Remaining">Estimated.</param>
/// <param name="CompletedEpoch">At an epoch's end, its record; else null.</param>
public sealed record TrainingProgress(
    int Epoch, int Epochs, int Step, int Steps, double Loss, double Accuracy, double Density,
    double ImagesPerSecond, TimeSpan Remaining, EpochRecord? CompletedEpoch);

/// <summary>One epoch of a training's history.</summary>
/// <param name="Epoch">From 1.</param>
/// <param name="Loss">Mean cross entropy over the epoch.</param>
/// <param name="TrainAccuracy">Mean over the epoch, while the weights changed, 0 … 1.</param>
/// <param name="ValidationAccuracy">At its end, with the pattern exactly satisfied, 0 … 1.</param>
/// <param name="Seconds">Without validation.</param>
/// <param name="Density">Share of non-zeros that the layers under masks train with, at its end.</param>
/// <param name="OwnerTurnover">Share of owners that were none at the end of the epoch before; 0 for the first.</param>
public sealed record EpochRecord(
    int Epoch, double Loss, double TrainAccuracy, double ValidationAccuracy, double Seconds, double Density, double OwnerTurnover);
