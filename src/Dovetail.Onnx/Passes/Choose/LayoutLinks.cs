using Dovetail.Onnx.Model;
using Dovetail.Onnx.Passes.Layout;

namespace Dovetail.Onnx.Passes.Choose;

/// <summary>
/// Where a graph of NCHW images would need Transposes if some of its convolutions were packed and so worked in NHWC.
/// 1. Operators that do not care about layout (<see cref="LayoutFreeOperators"/>) join the images that they read and write to one region:
/// all NCHW or all NHWC.
/// 2. A convolution that may be packed is linked to the regions that it reads and writes; different layouts cost a Transpose of that image.
/// 3. Whatever reads or writes an image otherwise, and the model's own inputs and outputs, want NCHW.
/// A Transpose that two readers share is counted for each.
/// </summary>
internal sealed class LayoutLinks
{
    private readonly Dictionary<string, string> _parents = [];
    private readonly IReadOnlyDictionary<string, TensorInfo> _shapes;

    private LayoutLinks(IReadOnlyDictionary<string, TensorInfo> shapes) => _shapes = shapes;

    /// <summary>An image between a layer (null: something that wants NCHW) and a region.</summary>
    /// <param name="Elements">Of the image, for one input.</param>
    public sealed record Link(NodeProto? Layer, string Region, long Elements, bool IsQuantized);

    /// <param name="shapes">Of all tensors, for a batch of 1.</param>
    /// <param name="layers">The convolutions that may be packed.</param>
    public static IReadOnlyList<Link> Find(OnnxModel model, IReadOnlyDictionary<string, TensorInfo> shapes, IReadOnlySet<NodeProto> layers)
    {
        var links = new LayoutLinks(shapes);
        using OnnxModel.Frozen frozen = model.Freeze();
        var free = new LayoutFreeOperators(model, links._shapes);
        var found = new List<(NodeProto? Layer, string Image)>();
        foreach (NodeProto node in model.Nodes)
        {
            List<string> reads = [.. node.Inputs.Where(input => links.IsImage(model, input))],
                writes = [.. node.Outputs.Where(output => links.IsImage(model, output))];
            if (layers.Contains(node))
                // not int8 weights behind their DequantizeLinear
                found.AddRange([.. reads.Take(1).Concat(writes).Select(image => (node, image))]);
            else if (free.Contains(node))
                links.Join([.. reads, .. writes]);
            else if (!free.EndsLayout(node)) // which is as good in either
                found.AddRange([.. reads.Concat(writes).Select(image => ((NodeProto?)null, image))]);
        }

        foreach (string image in model.Graph.Inputs.Concat(model.Graph.Outputs).Select(value => value.Name)
            .Where(name => links.IsImage(model, name)))
            found.Add((null, image));
        bool quantized = model.Nodes.Exists(node => node.Is("QuantizeLinear"));
        return [.. found.Distinct()
            .Select(entry => new Link(entry.Layer, links.Region(entry.Image), links.Elements(entry.Image), quantized))];
    }

    private bool IsImage(OnnxModel model, string tensor) =>
        tensor.Length > 0 && model.FindInitializer(tensor) is null && _shapes.TryGetValue(tensor, out TensorInfo? info) && info.Rank == 4
            && info.IsFixed;

    private long Elements(string image) => _shapes[image].Shape.Aggregate(1L, (product, d) => product * (long)d.Value!);

    private void Join(IReadOnlyList<string> images)
    {
        foreach (string image in images.Skip(1))
            _parents[Region(image)] = Region(images[0]);
    }

    private string Region(string image)
    {
        while (_parents.TryGetValue(image, out string? parent) && parent != image)
            image = parent;
        return image;
    }
}
