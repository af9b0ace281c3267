using Dovetail.Core.Patterns;

namespace Dovetail.Cli.Codesign;

/// <summary>What <c>dovetail codesign</c> was asked for.</summary>
/// <param name="Model">"zoo:NAME" or an ONNX file.</param>
/// <param name="Data">"fashion-mnist" or a folder.</param>
/// <param name="Epochs">Of each of the two trainings; null: by the size of the data.</param>
/// <param name="Folder">Where everything is written.</param>
/// <param name="Resume">Go on from the checkpoints in <paramref name="Folder"/>.</param>
/// <param name="Threads">Of training and of evaluation.</param>
/// <param name="BenchThreads">Of the CPU measurement.</param>
/// <param name="Rows">Array rows of the simulation.</param>
/// <param name="Columns">Array columns of the simulation.</param>
/// <param name="CommandLine">As typed, for the report.</param>
public sealed record CodesignOptions(
    string Model, string Data, ComplementaryPattern Pattern, string Method, int? Epochs, int Seed,
    string Folder, bool Resume, int Threads, int BenchThreads, int Rows, int Columns, string CommandLine);
