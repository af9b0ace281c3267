using System.Globalization;
using Dovetail.Training;

namespace Dovetail.Cli.Reports.Results;

/// <summary>What <c>dovetail train</c> writes about a run: as JSON whole, as CSV without version and tensors.</summary>
/// <param name="Pattern">"1:1" for a dense training.</param>
/// <param name="Sparsity">Of the pattern.</param>
/// <param name="TestAccuracy">Null where the test images were not looked at.</param>
/// <param name="Command">That makes the run again.</param>
public sealed record TrainJson(
    string Network, string Data, string Method, string Pattern, double Sparsity, int Seed, int Epochs,
    double ValidationAccuracy, double? TestAccuracy, double SecondsPerEpoch, string Command, string Commit,
    IReadOnlyList<TrainJson.Tensor> Tensors) : VerbResult
{
    public const string CsvHeader =
        "network,data,method,pattern,sparsity,seed,epochs,validation_accuracy,test_accuracy,seconds_per_epoch,command,commit";

    /// <param name="Use">learned, updated (running statistics) or fixed.</param>
    /// <param name="Decayed">Whether weight decay pulls it to zero.</param>
    public sealed record Tensor(string Name, IReadOnlyList<long> Dims, string Use, bool Decayed, string Reason)
    {
        public static Tensor Of(TrainedTensor tensor) =>
            new(tensor.Name, tensor.Dims, tensor.Use.ToString().ToLowerInvariant(), tensor.IsDecayed, tensor.Reason);
    }

    /// <summary>A line of a CSV file, without its end.</summary>
    public string CsvRow() => string.Join(',', ((object?[])
    [
        Network, Data, Method, Pattern, Sparsity, Seed, Epochs, ValidationAccuracy, TestAccuracy, SecondsPerEpoch, Command, Commit,
    ]).Select(Field));

    private static string Field(object? value)
    {
        string text = Convert.ToString(value, CultureInfo.InvariantCulture) ?? "";
        return text.AsSpan().ContainsAny(",\"\n") ? $"\"{text.Replace("\"", "\"\"")}\"" : text;
    }
}
