using System.Text.Json;
using System.Text.Json.Serialization;
using Dovetail.Core.Files;

namespace Dovetail.Accelerator.Config;

/// <summary>
/// Energy per event in picojoules, with the source it was published in. <see cref="Default"/> is the
/// embedded <c>Config/energy-45nm.json</c>; <see cref="Load"/> reads a user's own file of the same form.
/// </summary>
public sealed record EnergyTable
{
    /// <summary>Where the numbers were published; a report prints it beside them.</summary>
    public required string Source { get; init; }

    /// <summary>E.g. "45 nm, 0.9 V".</summary>
    public required string Technology { get; init; }

    /// <summary>One 8-bit × 8-bit multiplication; other widths scale by the product of the widths.</summary>
    public required double MultiplyInt8Picojoules { get; init; }

    /// <summary>One 32-bit addition; other widths scale linearly.</summary>
    public required double AddInt32Picojoules { get; init; }

    /// <summary>One bit written to a pipeline register.</summary>
    public required double RegisterBitPicojoules { get; init; }

    /// <summary>One bit through a 2:1 multiplexer; a group:1 selector is group − 1 of them a bit.</summary>
    public required double MultiplexerBitPicojoules { get; init; }

    /// <summary>A 64-bit access to an SRAM of so many bytes, by ascending size; sizes between are interpolated log-linearly.</summary>
    public required IReadOnlyList<SramEnergy> Sram64Bit { get; init; }

    /// <summary>A 64-bit access to DRAM.</summary>
    public required double Dram64BitPicojoules { get; init; }

    public static EnergyTable Default { get; } = LoadEmbedded();

    /// <summary>Energy of one byte read from or written to an SRAM of this size.</summary>
    public double SramBytePicojoules(long sramBytes)
    {
        // 1. Published sizes are points (log size, energy); between two of them the line, outside the nearest one.
        if (sramBytes <= Sram64Bit[0].Bytes)
            return Sram64Bit[0].Picojoules / 8;
        for (int i = 1; i < Sram64Bit.Count; i++)
        {
            (SramEnergy low, SramEnergy high) = (Sram64Bit[i - 1], Sram64Bit[i]);
            if (sramBytes <= high.Bytes)
            {
                double part = Math.Log((double)sramBytes / low.Bytes) / Math.Log((double)high.Bytes / low.Bytes);
                return (low.Picojoules + part * (high.Picojoules - low.Picojoules)) / 8;
            }
        }

        return Sram64Bit[^1].Picojoules / 8;
    }

    public double DramBytePicojoules => Dram64BitPicojoules / 8;

    /// <exception cref="AcceleratorException">The file cannot be read or is not an energy table.</exception>
    public static EnergyTable Load(string path)
    {
        try
        {
            return Parse(UserFile.ReadAllText(path), path);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new AcceleratorException($"The energy table '{path}' cannot be read: {error.Message}", error);
        }
    }

    /// <param name="name">What the message calls the text, e.g. its path.</param>
    /// <exception cref="AcceleratorException">The text is not an energy table.</exception>
    public static EnergyTable Parse(string json, string name)
    {
        EnergyTable table;
        try
        {
            table = JsonSerializer.Deserialize(json, EnergyJson.Default.EnergyTable)
                ?? throw new JsonException("the document is null");
        }
        catch (JsonException error)
        {
            throw new AcceleratorException($"The energy table '{name}' is not valid: {JsonFault.Describe(error)}. Take "
                + $"docs/accelerator.md's table as "
                + "a model.", error);
        }

        table.Check(name);
        return table;
    }

    private void Check(string name)
    {
        if (string.IsNullOrWhiteSpace(Source))
            throw new AcceleratorException($"The energy table '{name}' names no source; expected the publication its numbers come from.");
        double[] energies = [
            MultiplyInt8Picojoules, AddInt32Picojoules, RegisterBitPicojoules, MultiplexerBitPicojoules, Dram64BitPicojoules];
        if (!energies.All(energy => energy >= 0 && double.IsFinite(energy)))
            throw new AcceleratorException($"The energy table '{name}' has an energy that is negative or not finite; expected picojoules "
                + "of at least 0.");
        if (Sram64Bit is not { Count: > 0 }
            || Sram64Bit.Any(point => point is null || point.Bytes < 1 || !(point.Picojoules >= 0 && double.IsFinite(point.Picojoules))))
            throw new AcceleratorException($"The energy table '{name}' has no SRAM sizes or a wrong one; expected at least one of "
                + $"{{\"bytes\", \"picojoules\"}}.");
        for (int i = 1; i < Sram64Bit.Count; i++)
            if (Sram64Bit[i].Bytes <= Sram64Bit[i - 1].Bytes)
                throw new AcceleratorException($"The energy table '{name}' lists an SRAM of {Sram64Bit[i].Bytes} bytes behind one of "
                    + $"{Sram64Bit[i - 1].Bytes}; expected ascending sizes.");
    }

    private static EnergyTable LoadEmbedded()
    {
        const string Name = "Dovetail.Accelerator.Config.energy-45nm.json";
        using Stream stream = typeof(EnergyTable).Assembly.GetManifestResourceStream(Name)
            ?? throw new InvalidOperationException($"The resource {Name} is missing from the assembly.");
        using var reader = new StreamReader(stream);
        return Parse(reader.ReadToEnd(), Name);
    }
}

/// <summary>The energy of a 64-bit access to an SRAM of one size.</summary>
public sealed record SramEnergy(long Bytes, double Picojoules);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    ReadCommentHandling = JsonCommentHandling.Skip,
    AllowTrailingCommas = true)]
[JsonSerializable(typeof(EnergyTable))]
internal sealed partial class EnergyJson : JsonSerializerContext;
