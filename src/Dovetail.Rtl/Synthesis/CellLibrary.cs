using Dovetail.Core.Files;
namespace Dovetail.Rtl.Synthesis;

/// <summary>
/// What synthesis reports need of a Liberty file: areas, pin capacitances and the non-linear delay tables.
/// Units are the library's own (osu018: µm², pF, ns).
/// </summary>
internal sealed class CellLibrary
{
    private CellLibrary(string name, Dictionary<string, LibraryCell> cells) => (Name, Cells) = (name, cells);

    public string Name { get; }

    public IReadOnlyDictionary<string, LibraryCell> Cells { get; }

    /// <summary>True where the library has the full and half adder cells by the names that <c>adders_osu.v.in</c> instantiates.</summary>
    public bool HasAdderCells =>
        HasPins("FAX1", "A", "B", "C", "YS", "YC") && HasPins("HAX1", "A", "B", "YS", "YC");

    /// <exception cref="RtlException">The file cannot be read or is not Liberty.</exception>
    public static CellLibrary Load(string path)
    {
        try
        {
            LibertyGroup library = LibertyGroup.Parse(UserFile.ReadAllText(path));
            return new CellLibrary(
                library.Arguments.FirstOrDefault() ?? "?",
                library.Children("cell").ToDictionary(cell => cell.Argument, LibraryCell.From));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or FormatException or ArgumentException
            or OverflowException)
        {
            throw new RtlException($"The cell library '{path}' cannot be read as Liberty: {error.Message.TrimEnd('.')}.", error);
        }
    }

    private bool HasPins(string cell, params string[] pins) =>
        Cells.TryGetValue(cell, out LibraryCell? found) && pins.All(found.Pins.ContainsKey);
}

/// <param name="Area">In the library's unit.</param>
/// <param name="IsSequential">A flip-flop or latch.</param>
internal sealed record LibraryCell(string Name, double Area, bool IsSequential, IReadOnlyDictionary<string, LibraryPin> Pins)
{
    public static LibraryCell From(LibertyGroup cell) => new(
        cell.Argument,
        cell.Number("area") ?? 0,
        cell.Children("ff").Any() || cell.Children("latch").Any(),
        cell.Children("pin").ToDictionary(pin => pin.Argument, LibraryPin.From));
}

/// <param name="Capacitance">Of an input, as a load.</param>
internal sealed record LibraryPin(string Name, bool IsOutput, double Capacitance, IReadOnlyList<TimingArc> Arcs)
{
    public static LibraryPin From(LibertyGroup pin) => new(
        pin.Argument,
        pin.Text("direction") == "output",
        pin.Number("capacitance") ?? 0,
        [.. pin.Children("timing").Select(TimingArc.From)]);
}

/// <summary>How one pin follows another. An arc without tables, or of a kind not used here, has nulls.</summary>
internal sealed record TimingArc(
    string RelatedPin, string Sense, string Type,
    DelayTable? CellRise, DelayTable? CellFall, DelayTable? RiseTransition, DelayTable? FallTransition,
    DelayTable? RiseConstraint, DelayTable? FallConstraint)
{
    public static TimingArc From(LibertyGroup timing)
    {
        return new TimingArc(
            timing.Text("related_pin") ?? "",
            timing.Text("timing_sense") ?? "non_unate",
            timing.Text("timing_type") ?? "combinational",
            Table("cell_rise"), Table("cell_fall"), Table("rise_transition"), Table("fall_transition"),
            Table("rise_constraint"), Table("fall_constraint"));

        DelayTable? Table(string name) => timing.Children(name).FirstOrDefault() is { } table ? DelayTable.From(table) : null;
    }
}
