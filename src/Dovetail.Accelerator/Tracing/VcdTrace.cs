using System.Globalization;
using System.Text;
using Dovetail.Accelerator.Config;
using Dovetail.Accelerator.Mapping;
using Dovetail.Accelerator.Simulation;

namespace Dovetail.Accelerator.Tracing;

/// <summary>
/// The registers of every PE as a value change dump (IEEE 1364, clause 18), in the hierarchy and by the names that the emitted
/// SystemVerilog has: dovetail_array.gen_row[r].gen_cluster[k].cluster.gen_pe[c].pe.{weight, owner, operand, sum}. Time n is the state
/// after n cycles; weights are those that the multiplier has, while loading those that pass.
/// </summary>
public sealed class VcdTrace : IArrayObserver, IDisposable
{
    private const long MostPeCycles = 50_000_000;

    private readonly StreamWriter _writer;
    private readonly ArrayConfig _config;
    private readonly int _ownerBits;
    private readonly PeState?[] _last;
    private bool? _loads;
    private long _elapsed;

    /// <param name="stream">Stays open.</param>
    public VcdTrace(Stream stream, ArrayConfig config)
    {
        ArgumentNullException.ThrowIfNull(config);
        _config = config;
        _writer = new StreamWriter(stream, new UTF8Encoding(false), 1 << 16, leaveOpen: true) { NewLine = "\n" };
        _last = new PeState?[config.PeCount];
        _ownerBits = config.Pattern.IndexBits;
        Header();
    }

    /// <exception cref="AcceleratorException">The file would be of many gigabytes.</exception>
    public static void Check(ArrayConfig config, long cycles)
    {
        ArgumentNullException.ThrowIfNull(config);
        if (cycles > MostPeCycles / config.PeCount)
            throw new AcceleratorException($"{cycles:N0} cycles of {config.PeCount} PEs were to be dumped, expected {MostPeCycles:N0} "
                + "PE-cycles at most. Take a smaller layer or array, or a timeline (FILE.json).");
    }

    public void BeginLayer(LayerMapping mapping)
    {
        ArgumentNullException.ThrowIfNull(mapping);
        var name = new StringBuilder();
        foreach (char letter in mapping.Workload.Name)
            name.Append(letter is > ' ' and <= '~' and not '$' ? letter : '_');
        _writer.WriteLine($"$comment layer {name} $end");
    }

    public void BeginPhase(ArrayPhase phase, int number, ArrayFold fold)
    {
    }

    public void Elapsed(ArrayCycle cycle)
    {
        ArgumentNullException.ThrowIfNull(cycle);
        _writer.WriteLine(string.Create(CultureInfo.InvariantCulture, $"#{++_elapsed}"));
        bool loads = cycle.Phase == ArrayPhase.Load;
        if (_loads != loads)
            _writer.WriteLine(loads ? "1!" : "0!");
        _loads = loads;
        for (int r = 0; r < _config.Rows; r++)
            for (int c = 0; c < _config.Columns; c++)
            {
                int at = r * _config.Columns + c;
                PeState pe = cycle[r, c];
                PeState? last = _last[at];
                if (last?.Weight != pe.Weight)
                    Change(pe.Weight, 8, 4 * at);
                if (_ownerBits > 0 && last?.Owner != pe.Owner)
                    Change(pe.Owner, _ownerBits, 4 * at + 1);
                if (last?.Selected != pe.Selected)
                    Change(pe.Selected, 8, 4 * at + 2);
                if (last?.Sum != pe.Sum)
                    Change(pe.Sum, 32, 4 * at + 3);
                _last[at] = pe;
            }
    }

    public void Dispose() => _writer.Dispose();

    private void Header()
    {
        _writer.WriteLine("$version Dovetail $end");
        _writer.WriteLine("$timescale 1 ns $end");
        _writer.WriteLine("$scope module dovetail_array $end");
        _writer.WriteLine("$var wire 1 ! load $end");
        for (int r = 0; r < _config.Rows; r++)
        {
            _writer.WriteLine($"$scope module gen_row[{r}] $end");
            for (int k = 0; k < _config.Clusters; k++)
            {
                _writer.WriteLine($"$scope module gen_cluster[{k}] $end\n$scope module cluster $end");
                int first = k * _config.ClusterColumns;
                for (int c = first; c < Math.Min(first + _config.ClusterColumns, _config.Columns); c++)
                {
                    int at = 4 * (r * _config.Columns + c);
                    _writer.WriteLine($"$scope module gen_pe[{c - first}] $end\n$scope module pe $end");
                    _writer.WriteLine($"$var reg 8 {Name(at)} weight [7:0] $end");
                    if (_ownerBits > 0)
                        _writer.WriteLine($"$var reg {_ownerBits} {Name(at + 1)} owner [{_ownerBits - 1}:0] $end");
                    _writer.WriteLine($"$var reg 8 {Name(at + 2)} operand [7:0] $end");
                    _writer.WriteLine($"$var reg 32 {Name(at + 3)} sum [31:0] $end");
                    _writer.WriteLine("$upscope $end\n$upscope $end");
                }

                _writer.WriteLine("$upscope $end\n$upscope $end");
            }

            _writer.WriteLine("$upscope $end");
        }

        _writer.WriteLine("$upscope $end\n$enddefinitions $end");
    }

    private void Change(int value, int bits, int signal)
    {
        Span<char> digits = stackalloc char[bits];
        for (int i = 0; i < bits; i++)
            digits[i] = (value >> (bits - 1 - i) & 1) == 0 ? '0' : '1';
        _writer.Write('b');
        _writer.Write(digits);
        _writer.Write(' ');
        _writer.WriteLine(Name(signal));
    }

    // Identifiers are printable characters; the first, '!', is load.
    private static string Name(int signal)
    {
        const int First = '"', Count = '~' - First + 1;
        string name = "";
        for (int rest = signal; ; rest = rest / Count - 1)
        {
            name += (char)(First + rest % Count);
            if (rest < Count)
                return name;
        }
    }
}
