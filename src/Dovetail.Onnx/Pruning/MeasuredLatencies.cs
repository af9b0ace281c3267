using System.Text.Json.Serialization;

namespace Dovetail.Onnx.Pruning;

/// <summary>The part of the JSON of <c>dovetail bench MODEL</c> (docs/json.md) that <see cref="LatencyTable"/> reads.</summary>
/// <param name="SchemaVersion">Null in files that were written before it was.</param>
internal sealed record MeasuredLatencies(IReadOnlyList<MeasuredLayer> Layers, int? SchemaVersion = null)
{
    /// <summary>The newest schema that is read.</summary>
    public const int NewestSchema = 1;
}

/// <param name="Pattern">Of the packed layer.</param>
/// <param name="DenseUs">Microseconds of a call.</param>
internal sealed record MeasuredLayer(string Name, string Pattern, double DenseUs, double PackedUs);

/// <summary>Every field is required, none null; other fields are ignored.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(MeasuredLatencies))]
internal sealed partial class MeasuredLatenciesContext : JsonSerializerContext;
