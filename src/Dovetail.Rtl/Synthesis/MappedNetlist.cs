using System.Text.Json;

namespace Dovetail.Rtl.Synthesis;

/// <summary>A mapped netlist as Yosys' <c>write_json</c> gives it: modules of library cells and other modules.</summary>
internal sealed class MappedNetlist
{
    private readonly Dictionary<string, NetlistModule> _modules;

    private MappedNetlist(Dictionary<string, NetlistModule> modules) => _modules = modules;

    public IReadOnlyDictionary<string, NetlistModule> Modules => _modules;

    public static MappedNetlist Load(string path)
    {
        using FileStream stream = File.OpenRead(path);
        using JsonDocument document = JsonDocument.Parse(stream);
        return new MappedNetlist(document.RootElement.GetProperty("modules").EnumerateObject()
            .Where(module => !IsLibraryCell(module.Value))
            .ToDictionary(module => module.Name, module => NetlistModule.From(module.Name, module.Value)));
    }

    private static bool IsLibraryCell(JsonElement module) =>
        module.TryGetProperty("attributes", out JsonElement attributes)
        && (attributes.TryGetProperty("blackbox", out _) || attributes.TryGetProperty("whitebox", out _));

    /// <summary>The module with this name, or the one that Yosys derived from it by parameters.</summary>
    public NetlistModule Find(string name) =>
        _modules.TryGetValue(name, out NetlistModule? exact) ? exact
        : _modules.Values.FirstOrDefault(
            module => module.Name.Contains($"\\{name}\\", StringComparison.Ordinal)
            || module.Name.EndsWith($"\\{name}", StringComparison.Ordinal))
            ?? throw new RtlException($"The synthesised netlist has no module {name}; it has {string.Join(", ", _modules.Keys)}.");

    /// <summary>Area of a module and all below it.</summary>
    public double Area(NetlistModule module, CellLibrary library) => module.Cells.Sum(cell =>
        _modules.TryGetValue(cell.Type, out NetlistModule? below) ? Area(below, library)
        : library.Cells.TryGetValue(cell.Type, out LibraryCell? found) ? found.Area
        : throw new RtlException($"Cell {cell.Name} of {module.Name} is a {cell.Type}, which library {library.Name} does not have: "
            + "synthesis left it unmapped."));
}

/// <param name="Ports">Direction and bits of each port; a bit is a net, negative where constant.</param>
internal sealed record NetlistModule(
    string Name, IReadOnlyList<(string Name, bool IsOutput, int[] Bits)> Ports, IReadOnlyList<NetlistCell> Cells)
{
    public static NetlistModule From(string name, JsonElement module) => new(
        name,
        [.. module.GetProperty("ports").EnumerateObject().Select(port =>
            (port.Name, port.Value.GetProperty("direction").GetString() == "output", Bits(port.Value.GetProperty("bits"))))],
        [.. module.GetProperty("cells").EnumerateObject().Select(cell => new NetlistCell(
            cell.Name,
            cell.Value.GetProperty("type").GetString()!,
            cell.Value.GetProperty("connections").EnumerateObject().ToDictionary(pin => pin.Name, pin => Bits(pin.Value))))]);

    private static int[] Bits(JsonElement bits) =>
        [.. bits.EnumerateArray().Select(bit => bit.ValueKind == JsonValueKind.Number ? bit.GetInt32() : -1)];
}

internal sealed record NetlistCell(string Name, string Type, IReadOnlyDictionary<string, int[]> Pins);
