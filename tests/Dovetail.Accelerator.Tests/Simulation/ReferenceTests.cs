using System.Globalization;
using Dovetail.Accelerator.Config;
using Dovetail.Accelerator.Mapping;
using Dovetail.Accelerator.Simulation;
using Dovetail.Core.Workloads;

namespace Dovetail.Accelerator.Tests.Simulation;

/// <summary>The closed form against SCALE-Sim's own counts (Reference/README.md).</summary>
public sealed class ReferenceTests
{
    [Fact]
    public void Every_count_of_the_reference_is_met()
    {
        string folder = Path.Combine(AppContext.BaseDirectory, "Reference");
        var topologies = new Dictionary<string, IReadOnlyList<LayerWorkload>>();
        int compared = 0;
        foreach (string line in File.ReadLines(Path.Combine(folder, "layers.csv")).Skip(1).Where(line => line.Length > 0))
        {
            string[] field = line.Split(',');
            string topology = field[0], dataflow = field[1], layer = field[4];
            if (!topologies.TryGetValue(topology, out IReadOnlyList<LayerWorkload>? layers))
                topologies[topology] = layers = Topology.Load(Path.Combine(folder, topology + ".csv"));
            long[] expected = [.. field[5..12].Select(text => long.Parse(text, CultureInfo.InvariantCulture))];
            int rows = int.Parse(field[2], CultureInfo.InvariantCulture), columns = int.Parse(field[3], CultureInfo.InvariantCulture);
            ArrayConfig config = ArrayConfig.Dense(rows, columns) with
            {
                Dataflow = dataflow switch
                {
                    "ws" => Dataflow.WeightStationary,
                    "os" => Dataflow.OutputStationary,
                    _ => Dataflow.InputStationary,
                },
            };
            LayerCounts counts = ClosedForm.Simulate(config, layers.Single(workload => workload.Name == layer));
            long overCount = dataflow == "os" ? 2L * columns * counts.Events.Folds : 0;
            long[] found =
            [
                counts.Shape.Pixels, counts.Shape.Outputs, counts.Shape.Inputs, counts.Cycles,
                counts.Events.IfmapReads, counts.Events.FilterReads, counts.Events.OfmapWrites + overCount,
            ];
            Assert.True(expected.SequenceEqual(found), $"{line}: found {string.Join(',', found)}");
            Assert.InRange(counts.Utilization, 0, 1);
            compared++;
        }

        Assert.Equal(40, compared);
    }
}
