namespace Dovetail.Cli.Reports.Results;

/// <summary>A class and how sure a classifier is of it.</summary>
/// <param name="Label">From the labels file; null without one.</param>
/// <param name="Value">The model's output.</param>
/// <param name="Probability">The output itself where the outputs of an input are probabilities; else their softmax.</param>
public sealed record ClassScore(int Class, string? Label, float Value, double Probability);
