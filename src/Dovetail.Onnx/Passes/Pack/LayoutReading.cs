using Dovetail.Core.Operators;
using Dovetail.Onnx.Layers;
using Dovetail.Onnx.Model;
using Dovetail.Onnx.Passes.Layout;

namespace Dovetail.Onnx.Passes.Pack;

/// <summary>
/// The layout of a graph whose NHWC regions have grown.
/// 1. Regions begin at the images of Dovetail's operators and behind Transposes to NHWC.
/// 2. A standard operator that reads an image in NHWC works in that layout: its other images and its outputs belong to the region.
///    Only Transposes, and the pooling that leaves no image, end it.
/// </summary>
internal sealed class LayoutReading
{
    private readonly OnnxModel _model;
    private readonly Dictionary<string, string> _parents = [];

    private LayoutReading(OnnxModel model) => _model = model;

    /// <param name="own">Names of the Transposes that the source had itself.</param>
    public static LayoutPlan Read(OnnxModel model, IReadOnlySet<string> own)
    {
        var reading = new LayoutReading(model);
        using OnnxModel.Frozen frozen = model.Freeze();
        LayoutTranspose[] transposes = [.. model.Nodes.Where(node => !own.Contains(node.Name)).Select(Border).OfType<LayoutTranspose>()];
        HashSet<NodeProto> borders = [.. model.Nodes.Where(node => !own.Contains(node.Name) && Border(node) is not null)];
        foreach (NodeProto node in borders)
            reading.Begin(ChannelsLastRegions.IsToChannelsLast(node) ? node.Outputs[0] : node.Inputs[0]);
        foreach (NodeProto node in model.Nodes.Where(node => !borders.Contains(node)))
            reading.Follow(node);
        string[] images = [.. model.Nodes.SelectMany(node => node.Outputs).Where(reading._parents.ContainsKey)];
        ILookup<string, string> layers = model.Nodes.Where(PackedWeights.IsConvolution)
            .ToLookup(node => reading.Root(node.Outputs[0]), node => node.Name);
        return new LayoutPlan(
            [.. images.GroupBy(reading.Root).Select(region => new ChannelsLastRegion([.. region], [.. layers[region.Key]]))], transposes);
    }

    private static LayoutTranspose? Border(NodeProto node) =>
        ChannelsLastRegions.IsToChannelsLast(node) ? new LayoutTranspose(node.Inputs[0], true)
        : ChannelsLastRegions.IsToChannelsFirst(node) ? new LayoutTranspose(node.Outputs[0], false)
        : null;

    private void Follow(NodeProto node)
    {
        if (node.FindSchema() is { } schema)
        {
            if (schema.IsPacked && !schema.IsConvolution)
                return;
            Begin(node.Inputs[0]);
            if (schema != OperatorSet.GlobalAveragePool)
                Join(node.Inputs[0], node.Outputs[0]);
            if (node.HasInput(InputNames.Residual))
                Join(node.Inputs[0], node.Input(InputNames.Residual));
            return;
        }

        List<string> inputs = [.. node.Inputs.Where(input => input.Length > 0 && _model.FindConstant(input) is null)];
        if (inputs.Find(_parents.ContainsKey) is { } image)
            foreach (string other in inputs.Concat(node.Outputs))
                Join(image, other);
    }

    private void Begin(string image) => _parents.TryAdd(image, image);

    private void Join(string a, string b)
    {
        Begin(a);
        Begin(b);
        _parents[Root(b)] = Root(a);
    }

    private string Root(string image)
    {
        while (_parents[image] != image)
            image = _parents[image];
        return image;
    }
}
