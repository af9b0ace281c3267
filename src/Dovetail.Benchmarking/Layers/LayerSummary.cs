namespace Dovetail.Benchmarking.Layers;

/// <summary>Geometric means over layers of one pattern; each listed layer counts once.</summary>
/// <param name="Group">all, conv, gemm, or batch 1: matrix products of one row.</param>
/// <param name="TotalRatio">Dense fp32 over packed time of all layers together, each as often as the network has it.</param>
public sealed record LayerSummary(
    string Pattern, string Group, int Layers, double Ratio, double RatioP10, double RatioInt8, double RatioInt8P10, double RatioAlone,
    double TotalRatio, double ShareOfPeak)
{
    /// <summary>For each pattern in order of appearance: all layers, then the groups that it has.</summary>
    public static IReadOnlyList<LayerSummary> Of(IEnumerable<LayerMeasurement> measurements)
    {
        ArgumentNullException.ThrowIfNull(measurements);
        var summaries = new List<LayerSummary>();
        foreach (IGrouping<string, LayerMeasurement> pattern in measurements.GroupBy(row => row.Pattern))
        {
            Add("all", pattern);
            Add("conv", pattern.Where(row => row.Shape.Workload.Convolution is not null));
            Add("gemm", pattern.Where(row => row.Shape.Workload.Convolution is null));
            Add("batch 1", pattern.Where(row => row.IsSingleRow));

            void Add(string group, IEnumerable<LayerMeasurement> rows)
            {
                LayerMeasurement[] layers = [.. rows];
                if (layers.Length > 0)
                    summaries.Add(Summarize(pattern.Key, group, layers));
            }
        }

        return summaries;
    }

    private static LayerSummary Summarize(string pattern, string group, LayerMeasurement[] layers)
    {
        double Mean(Func<LayerMeasurement, double> figure) => Math.Exp(layers.Average(layer => Math.Log(figure(layer))));
        double Total(Func<LayerMeasurement, double> microseconds) => layers.Sum(layer => layer.Shape.Count * microseconds(layer));
        return new LayerSummary(
            pattern, group, layers.Length, Mean(layer => layer.Ratio), Mean(layer => layer.RatioP10), Mean(layer => layer.RatioInt8),
            Mean(layer => layer.RatioInt8P10), Mean(layer => layer.RatioAlone),
            Total(layer => layer.Dense.Timing.MedianMicroseconds) / Total(layer => layer.Packed.MedianMicroseconds),
            Mean(layer => layer.ShareOfPeak));
    }
}
