using System.Text.Json;
using System.Text.Json.Serialization;

namespace Dovetail.Cli.Reports.Results;

/// <summary>The source-generated reader and writer of <see cref="CodesignResult"/>: snake case, every field required.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    WriteIndented = true,
    NewLine = "\n",
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true,
    Converters = [typeof(PlainNumberConverter)])]
[JsonSerializable(typeof(CodesignResult))]
internal sealed partial class ResultJsonContext : JsonSerializerContext;

/// <summary>Numbers are plain: what JSON cannot say (NaN, infinities) is an error, not a quoted word.</summary>
internal sealed class PlainNumberConverter : JsonConverter<double>
{
    public override double Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => reader.GetDouble();

    public override void Write(Utf8JsonWriter writer, double value, JsonSerializerOptions options)
    {
        if (!double.IsFinite(value))
            throw new JsonException($"Found {value}, expected a finite number.");
        writer.WriteNumberValue(value);
    }
}
