namespace Dovetail.Rtl.Synthesis;

/// <summary>
/// Static timing of a flat netlist of library cells, from the Liberty file's non-linear delay tables.
/// 1. A net's load is the sum of the input pins on it; wires have no length (there is no layout).
/// 2. Every net has an arrival time and a slew for its rising and its falling edge: the latest over all arcs
///    that make it. Inputs of the module arrive at 0, flip-flops give theirs by the clock's arc; both with
///    a slew of <see cref="InputSlew"/>.
/// 3. Cells are visited when all nets on their inputs are known (there are no loops in such a netlist).
/// 4. A path ends at a flip-flop's data pin, whose setup time it must keep, or at an output.
/// 5. The clock and nets with more than <see cref="BroadcastFanout"/> loads are ideal (no load, no delay by slew):
///    a layout gives them buffer trees, which the netlist does not have yet.
/// </summary>
internal sealed class TimingAnalysis
{
    /// <summary>ns, the smallest slew of the library's tables.</summary>
    public const double InputSlew = 0.06;

    public const int BroadcastFanout = 32;

    private readonly Dictionary<int, (Edge Rise, Edge Fall)> _nets = [];
    private readonly Dictionary<int, double> _loads = [];
    private readonly Dictionary<int, int> _fanouts = [];

    private TimingAnalysis() { }

    /// <summary>One edge of a net: when it arrives, its slew, and the cell and net that it came from; without a cell it never comes (a
    /// constant).</summary>
    private readonly record struct Edge(double Arrival, double Slew, string Cell, int From);

    /// <summary>The longest path in ns with its cells, first to last.</summary>
    public static (double Nanoseconds, IReadOnlyList<string> Path) LongestPath(NetlistModule flat, CellLibrary library)
    {
        var analysis = new TimingAnalysis();
        return analysis.Run(flat, library);
    }

    private (double, IReadOnlyList<string>) Run(NetlistModule flat, CellLibrary library)
    {
        var waiting = new Dictionary<NetlistCell, int>();
        var readers = new Dictionary<int, List<NetlistCell>>();
        foreach (NetlistCell cell in flat.Cells)
        {
            LibraryCell kind = library.Cells[cell.Type];
            foreach ((string pin, int[] bits) in cell.Pins)
            {
                int net = bits[0];
                if (net < 0)
                    continue;
                if (kind.Pins[pin].IsOutput)
                    continue;
                _loads[net] = _loads.GetValueOrDefault(net) + kind.Pins[pin].Capacitance;
                _fanouts[net] = _fanouts.GetValueOrDefault(net) + 1;
            }
        }

        // inputs, constants and flip-flops start; the rest waits for its inputs
        var ready = new Queue<int>();
        var combinational = new List<NetlistCell>();
        foreach (int net in flat.Ports.Where(port => !port.IsOutput).SelectMany(port => port.Bits))
            if (_nets.TryAdd(net, (new Edge(0, InputSlew, "input", -1), new Edge(0, InputSlew, "input", -1))))
                ready.Enqueue(net);
        foreach (NetlistCell cell in flat.Cells)
        {
            LibraryCell kind = library.Cells[cell.Type];
            if (kind.IsSequential)
            {
                foreach ((string pin, int[] bits) in cell.Pins)
                    if (kind.Pins[pin].IsOutput && bits[0] >= 0)
                    {
                        Launch(cell, kind.Pins[pin], bits[0]);
                        ready.Enqueue(bits[0]);
                    }

                continue;
            }

            int open = 0;
            foreach ((string pin, int[] bits) in cell.Pins)
                if (!kind.Pins[pin].IsOutput && bits[0] >= 0)
                {
                    if (!readers.TryGetValue(bits[0], out List<NetlistCell>? list))
                        readers[bits[0]] = list = [];
                    list.Add(cell);
                    open++;
                }

            waiting[cell] = open;
        }

        int visited = 0;
        foreach (NetlistCell cell in waiting.Where(entry => entry.Value == 0).Select(entry => entry.Key).ToArray())
            Visit(cell); // all inputs constant, so are its outputs
        while (ready.TryDequeue(out int net))
            foreach (NetlistCell cell in readers.GetValueOrDefault(net) ?? [])
                if (--waiting[cell] == 0)
                    Visit(cell);
        if (visited < waiting.Count)
            throw new RtlException("The netlist has a combinational loop or an undriven net; its timing cannot be analysed.");
        return Worst(flat, library);

        void Visit(NetlistCell cell)
        {
            visited++;
            foreach (int output in Propagate(cell, library.Cells[cell.Type]))
                ready.Enqueue(output);
        }
    }

    private void Launch(NetlistCell cell, LibraryPin pin, int net)
    {
        double load = Load(net);
        TimingArc arc = pin.Arcs.First(arc => arc.Type is "rising_edge" or "falling_edge");
        _nets[net] = (
            new Edge(arc.CellRise!.At(load, InputSlew), arc.RiseTransition!.At(load, InputSlew), $"{cell.Name} ({cell.Type})", -1),
            new Edge(arc.CellFall!.At(load, InputSlew), arc.FallTransition!.At(load, InputSlew), $"{cell.Name} ({cell.Type})", -1));
    }

    private List<int> Propagate(NetlistCell cell, LibraryCell kind)
    {
        var outputs = new List<int>();
        foreach ((string name, int[] bits) in cell.Pins)
        {
            LibraryPin pin = kind.Pins[name];
            if (!pin.IsOutput || bits[0] < 0)
                continue;
            double load = Load(bits[0]);
            Edge rise = default, fall = default;
            foreach (TimingArc arc in pin.Arcs.Where(arc => arc.Type == "combinational"))
            {
                int from = cell.Pins[arc.RelatedPin][0];
                if (from < 0 || arc.CellRise is null || arc.CellFall is null)
                    continue;
                (Edge inRise, Edge inFall) = _nets[from];
                if (arc.Sense != "negative_unate")
                {
                    rise = Later(rise, Follow(inRise, arc.CellRise, arc.RiseTransition!, from));
                    fall = Later(fall, Follow(inFall, arc.CellFall, arc.FallTransition!, from));
                }

                if (arc.Sense != "positive_unate")
                {
                    rise = Later(rise, Follow(inFall, arc.CellRise, arc.RiseTransition!, from));
                    fall = Later(fall, Follow(inRise, arc.CellFall, arc.FallTransition!, from));
                }
            }

            _nets[bits[0]] = (rise, fall);
            outputs.Add(bits[0]);

            Edge Follow(Edge input, DelayTable delay, DelayTable slew, int from) => input.Cell is null ? default : new(
                input.Arrival + delay.At(load, input.Slew),
                Broadcast(bits[0]) ? InputSlew : slew.At(load, input.Slew), $"{cell.Name} ({cell.Type})", from);
        }

        return outputs;
    }

    private (double, IReadOnlyList<string>) Worst(NetlistModule flat, CellLibrary library)
    {
        double worst = 0;
        Edge last = default;
        foreach (int net in flat.Ports.Where(port => port.IsOutput).SelectMany(port => port.Bits).Where(net => net >= 0))
            Take(net, 0, 0);
        foreach (NetlistCell cell in flat.Cells.Where(cell => library.Cells[cell.Type].IsSequential))
            foreach ((string name, int[] bits) in cell.Pins)
                if (bits[0] >= 0 && library.Cells[cell.Type].Pins[name].Arcs.FirstOrDefault(
                    arc => arc.Type.StartsWith("setup", StringComparison.Ordinal)) is { } setup)
                {
                    (Edge rise, Edge fall) = _nets[bits[0]];
                    Take(bits[0], setup.RiseConstraint!.At(InputSlew, rise.Slew), setup.FallConstraint!.At(InputSlew, fall.Slew));
                }

        var path = new List<string>();
        for (Edge at = last; at.Cell is not null; at = Later(_nets[at.From].Rise, _nets[at.From].Fall))
        {
            path.Add($"{at.Arrival:0.000} {at.Cell}");
            if (at.From < 0)
                break;
        }

        path.Reverse();
        return (worst, path);

        void Take(int net, double riseSetup, double fallSetup)
        {
            (Edge rise, Edge fall) = _nets[net];
            if (rise.Cell is not null && rise.Arrival + riseSetup > worst)
                (worst, last) = (rise.Arrival + riseSetup, rise);
            if (fall.Cell is not null && fall.Arrival + fallSetup > worst)
                (worst, last) = (fall.Arrival + fallSetup, fall);
        }
    }

    private bool Broadcast(int net) => _fanouts.GetValueOrDefault(net) > BroadcastFanout;

    private double Load(int net) => Broadcast(net) ? 0 : _loads.GetValueOrDefault(net);

    private static Edge Later(Edge a, Edge b) => b.Cell is not null && (a.Cell is null || b.Arrival > a.Arrival) ? b : a;
}
