using Dovetail.Core.Operators;

namespace Dovetail.Onnx.Model;

/// <summary>
/// What a file says of Dovetail's operators must be what this version knows: the operator set, the operators, their attributes. Files of
/// version 1 are read for ever (docs/format.md).
/// </summary>
internal static class DovetailVersions
{
    private const string Remedy = "A newer Dovetail wrote it: update, or pack its source again with this one.";

    /// <param name="source">Names the file in messages.</param>
    /// <exception cref="OnnxException">The file is of a newer version, of none, or damaged.</exception>
    public static void Check(OnnxModel model, string source)
    {
        NodeProto? first = null;
        foreach (NodeProto node in model.WithBodies().SelectMany(graph => graph.Nodes).Where(node => node.Domain == OperatorSet.Domain))
        {
            if (first is null)
                CheckVersion(model, source, first = node);
            if (OperatorSet.Find(node.OpType) is not { } schema)
                throw new OnnxException(
                    $"{source}: {node} is no operator of {OperatorSet.Domain} {OperatorSet.Version}, expected one of: "
                    + $"{string.Join(", ", OperatorSet.All.Select(known => known.Name))}. {Remedy}");
            if (node.Attributes.Find(attribute => !schema.Attributes.Any(known => known.Name == attribute.Name)) is { } unknown)
                throw new OnnxException(
                    $"{source}: {node} has the attribute '{unknown.Name}', expected only "
                    + $"{string.Join(", ", schema.Attributes.Select(known => known.Name))}. "
                    + Remedy);
        }
    }

    private static void CheckVersion(OnnxModel model, string source, NodeProto node)
    {
        long found = model.OpsetVersion(OperatorSet.Domain);
        if (OperatorSet.Reads(found))
            return;
        throw new OnnxException(found == 0
            ? $"{source} holds {node} and imports no operator set of {OperatorSet.Domain}, expected version 1 to "
                + $"{OperatorSet.Version}. The "
                + "file is damaged: pack its source again."
            : $"{source} uses version {found} of {OperatorSet.Domain}, and versions 1 to {OperatorSet.Version} are supported. {Remedy}");
    }
}
