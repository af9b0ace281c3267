using Dovetail.Onnx.Model;
using Dovetail.Onnx.Passes.Choose;
using Dovetail.Onnx.Passes.Layout;
using Dovetail.Onnx.Shapes;

namespace Dovetail.Onnx.Passes.Pack;

/// <summary>
/// The layout of a model whose packed convolutions are known.
/// 1. Each region of images (<see cref="LayoutLinks"/>) takes the layout that needs fewer Transposes at its borders; of two equal
///    ones NHWC where a packed convolution writes into it, since Transposes move down (<see cref="ChannelsLastRegions"/>).
/// 2. A Transpose of an image serves all its readers.
/// </summary>
internal static class LayoutPlanning
{
    /// <param name="shapes">Of all tensors, for a batch of 1.</param>
    public static LayoutPlan Of(OnnxModel model, IReadOnlyDictionary<string, TensorInfo> shapes, IReadOnlySet<string> packed)
    {
        HashSet<NodeProto> convolutions = [.. model.Nodes.Where(node => node.Is("Conv") && packed.Contains(node.Name))];
        if (convolutions.Count == 0)
            return new LayoutPlan([], []);
        var regions = new List<ImageRegion>();
        var transposed = new HashSet<string>();
        foreach (IGrouping<string, LayoutLinks.Link> links in LayoutLinks.Find(model, shapes, convolutions, anySize: true).GroupBy(link => link.Region))
        {
            LayoutLinks.Link[] last = [.. links.Where(link => link.Layer is not null)], first = [.. links.Where(link => link.Layer is null)];
            if (last.Length == 0)
                continue;
            string[] ifFirst = [.. last.Select(link => link.Image).Distinct()], ifLast = [.. first.Select(link => link.Image).Distinct()];
            bool channelsLast = ifLast.Length < ifFirst.Length
                || (ifLast.Length == ifFirst.Length && last.Any(link => link.Layer!.Outputs.Contains(link.Image)));
            transposed.UnionWith(channelsLast ? ifLast : ifFirst);
            regions.Add(new ImageRegion([.. links.Select(link => link.Image).Distinct()], [.. last.Select(link => link.Layer!.Name).Distinct()], channelsLast));
        }

        IEnumerable<string> tensors = model.Graph.Inputs.Select(input => input.Name).Concat(model.Nodes.SelectMany(node => node.Outputs));
        return new LayoutPlan(regions, [.. tensors.Where(transposed.Contains)]);
    }
}
