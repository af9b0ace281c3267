using Dovetail.Cli.Reports.Charts;
using Dovetail.Cli.Reports.Html;
using Dovetail.Cli.Reports.Results;

namespace Dovetail.Cli.Reports.Sections;

/// <summary>The simulated systolic array, dense and complementary: cycles, utilization, traffic, energy, area.</summary>
internal static class AcceleratorSection
{
    public static Section Render(CodesignResult result)
    {
        AcceleratorInfo array = result.Accelerator;
        return new Section("accelerator", "Accelerator", Markup.Of(
            $"""
            <p>A simulated {array.Rows}×{array.Cols} {Dataflow(array.Dataflow)} systolic array at {Figures.Significant(array.ClockMegahertz)} MHz runs the int8 network for one input, once with dense weights and once with packed ones; clusters of {Words.Plural(array.ClusterColumns, "column")} share their activation lanes.</p>
            {Totals(array)}
            {(array.Layers.Count == 0 ? Markup.Empty : Markup.Of($"{Cycles(array)}{Energy(array)}{Traffic(array)}"))}
            <dl class="facts">
            <div><dt>Area</dt><dd>{Figures.Ratio(array.RelativeArea)} a dense array of as many PEs, an estimate: {array.AreaMethod}</dd></div>
            <div><dt>Throughput per area</dt><dd>{Figures.Ratio(array.ThroughputPerArea)} the dense array's: cycles ratio over area ratio at equal clock</dd></div>
            <div><dt>Energy source</dt><dd>{array.EnergySource}</dd></div>
            </dl>
            """));
    }

    private static Markup Totals(AcceleratorInfo array)
    {
        double Time(long cycles) => Figures.Over(cycles, array.ClockMegahertz);
        return new Table("The whole network, one input",
                new Column(""), new Column("Dense", "number"), new Column("Complementary", "number"), new Column("", "chart"),
                new Column("Ratio", "number"))
            .Row(Words.Text("Cycles"), Words.Text(Figures.Count(array.DenseCycles)), Words.Text(Figures.Count(array.ComplementaryCycles)),
                Bars.Bar(array.ComplementaryCycles, array.DenseCycles, "packed"), Words.Text($"{Figures.Ratio(array.Speedup)} fewer"))
            .Row(Words.Text("Time at that clock"), Words.Text($"{Figures.Significant(Time(array.DenseCycles))} µs"), Words.Text(
                $"{Figures.Significant(Time(array.ComplementaryCycles))} µs"),
                Markup.Empty, Markup.Empty)
            .Row(Words.Text("Energy"), Words.Text(Figures.Energy(array.DenseEnergyPicojoules)), Words.Text(
                Figures.Energy(array.ComplementaryEnergyPicojoules)),
                Bars.Bar(array.ComplementaryEnergyPicojoules, array.DenseEnergyPicojoules, "packed"),
                Words.Text($"{Figures.Ratio(Figures.Over(array.DenseEnergyPicojoules, array.ComplementaryEnergyPicojoules))} less"))
            .Row(Words.Text("Utilization (line: dense)"), Words.Text(Figures.Percent(array.DenseUtilization, 1)), Words.Text(
                Figures.Percent(array.Utilization, 1)),
                Bars.Bar(array.Utilization, 1, "packed", (array.DenseUtilization, "one")), Markup.Empty)
            .Render();
    }

    private static Markup Cycles(AcceleratorInfo array)
    {
        double most = Math.Max(1, array.Layers.Max(layer => Math.Max(layer.Dense.Cycles, layer.Complementary.Cycles)));
        var table = new Table("Cycles of each layer (m output pixels, n filters, k window); upper bar dense, lower bar complementary",
            new Column("Layer"), new Column("m × n × k", "number"), new Column("Dense", "number"), new Column("Compl.", "number"),
            new Column("", "chart"),
            new Column("Ratio", "number"), new Column("Util. dense", "number"), new Column("Util. compl.", "number"));
        foreach (AcceleratorLayerInfo layer in array.Layers)
            table.Row(Words.Code(layer.Name), Words.Text(Words.MatrixSize(layer.M, layer.N, layer.K)),
                Words.Text(Figures.Count(layer.Dense.Cycles)), Words.Text(Figures.Count(layer.Complementary.Cycles)),
                Markup.Of($"{Bars.Bar(layer.Dense.Cycles, most, "dense")}{Bars.Bar(layer.Complementary.Cycles, most, "packed")}"),
                Words.Text(Figures.Ratio(Figures.Over(layer.Dense.Cycles, layer.Complementary.Cycles))),
                Words.Text(Figures.Percent(layer.Dense.Utilization, 1)), Words.Text(Figures.Percent(layer.Complementary.Utilization, 1)));
        return table.Render();
    }

    private static Markup Energy(AcceleratorInfo array)
    {
        double most = array.Layers.Max(layer => Math.Max(layer.Dense.EnergyPicojoules, layer.Complementary.EnergyPicojoules));
        double total = array.Layers.Sum(layer => layer.Complementary.EnergyPicojoules);
        var table = new Table("Where the energy goes; upper bar dense, lower bar complementary",
            new Column("Layer"), new Column("Dense", "number"), new Column("Compl.", "number"), new Column("", "chart"),
            new Column("Ratio", "number"), new Column("Share of compl.", "number"));
        foreach (AcceleratorLayerInfo layer in array.Layers)
        {
            Markup dense = Bars.Bar(layer.Dense.EnergyPicojoules, most, "dense");
            Markup packed = Bars.Bar(layer.Complementary.EnergyPicojoules, most, "packed");
            table.Row(
                Words.Code(layer.Name), Words.Text(Figures.Energy(layer.Dense.EnergyPicojoules)),
                Words.Text(Figures.Energy(layer.Complementary.EnergyPicojoules)), Markup.Of($"{dense}{packed}"),
                Words.Text(Figures.Ratio(Figures.Over(layer.Dense.EnergyPicojoules, layer.Complementary.EnergyPicojoules))),
                Words.Text(Figures.Percent(Figures.Over(layer.Complementary.EnergyPicojoules, total), 1)));
        }

        return table.Render();
    }

    private static Markup Traffic(AcceleratorInfo array)
    {
        var table = new Table("Traffic: words of SRAM, bytes of DRAM; dense → complementary",
            new Column("Layer"), new Column("Ifmap reads", "number"), new Column("Filter reads", "number"),
            new Column("Ofmap writes", "number"), new Column("DRAM", "number"));
        Markup Pair(string dense, string packed) => Markup.Of($"""<span class="sub">{dense} →</span> {packed}""");
        foreach (AcceleratorLayerInfo layer in array.Layers)
            table.Row(Words.Code(layer.Name),
                Pair(Figures.Count(layer.Dense.IfmapReads), Figures.Count(layer.Complementary.IfmapReads)),
                Pair(Figures.Count(layer.Dense.FilterReads), Figures.Count(layer.Complementary.FilterReads)),
                Pair(Figures.Count(layer.Dense.OfmapWrites), Figures.Count(layer.Complementary.OfmapWrites)),
                Pair(Figures.Bytes(layer.Dense.DramBytes), Figures.Bytes(layer.Complementary.DramBytes)));
        return table.Render();
    }

    private static string Dataflow(string name) => name switch
    {
        "ws" => "weight-stationary",
        "os" => "output-stationary",
        "is" => "input-stationary",
        _ => name,
    };
}
