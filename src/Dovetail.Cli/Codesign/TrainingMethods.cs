using Dovetail.Training;

namespace Dovetail.Cli.Codesign;

/// <summary>The names that users type and tables show for training methods.</summary>
internal static class TrainingMethods
{
    public static readonly string[] Sparse = ["growing", "srste", "static"];
    public static readonly string[] All = [.. Sparse, "dense"];

    public static TrainingMethod Parse(string name) => name switch
    {
        "growing" => TrainingMethod.Growing,
        "srste" => TrainingMethod.SrSte,
        "static" => TrainingMethod.Static,
        _ => TrainingMethod.Dense,
    };

    public static string Name(TrainingMethod method) => method switch
    {
        TrainingMethod.Growing => "growing",
        TrainingMethod.SrSte => "srste",
        TrainingMethod.Static => "static",
        _ => "dense",
    };
}
