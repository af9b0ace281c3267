namespace Dovetail.Cli.Commands.Bench;

/// <param name="Model">Its size and memory.</param>
/// <param name="Accuracy">Share of the test images; null where none are given.</param>
internal sealed record SubjectFacts(ModelFacts Model, double? Accuracy);
