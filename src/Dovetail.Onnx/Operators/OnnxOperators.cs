using Dovetail.Onnx.Model;

namespace Dovetail.Onnx.Operators;

/// <summary>
/// The operators that are known here, a row each: the only table of them. Shape inference, NHWC regions, permutation and the
/// recognition of activations ask it; training registers what it can train against its rows.
/// </summary>
public static class OnnxOperators
{
    private static readonly Dictionary<(string Domain, string Name), OnnxOperator> Rows = new IReadOnlyList<OnnxOperator>[]
    {
        ElementwiseOperators.Rows, OperandOperators.Rows, ReductionOperators.Rows, LayoutOperators.Rows, WindowOperators.Rows,
        MatrixOperators.Rows, NormalizationOperators.Rows, QuantizationOperators.Rows, ControlOperators.Rows, DovetailOperators.Rows,
    }.SelectMany(family => family).ToDictionary(row => (row.Domain, row.Name));

    /// <summary>By domain and name.</summary>
    public static IReadOnlyList<OnnxOperator> All { get; } =
        [.. Rows.Values.OrderBy(row => row.Domain, StringComparer.Ordinal).ThenBy(row => row.Name, StringComparer.Ordinal)];

    /// <summary>A row of ONNX's own domain.</summary>
    /// <exception cref="ArgumentException">There is none of this name.</exception>
    public static OnnxOperator Get(string name) =>
        Rows.TryGetValue(("", name), out OnnxOperator? row) ? row
            : throw new ArgumentException($"No row of the operator table is named '{name}'.", nameof(name));

    /// <summary>The row of a node's operator.</summary>
    /// <param name="opset">The version of the operator's domain that the model imports.</param>
    /// <returns>Null where there is none, or the operator had a meaning then that the row does not state.</returns>
    public static OnnxOperator? Find(NodeProto node, long opset)
    {
        ArgumentNullException.ThrowIfNull(node);
        return FindAnyVersion(node) is { } row && row.VersionAt(opset) is > 0 and var version && version >= row.From ? row : null;
    }

    /// <summary>Why <see cref="Find"/> gives no row, as the end of a sentence about the operator.</summary>
    public static string ReasonUnknown(NodeProto node, long opset)
    {
        ArgumentNullException.ThrowIfNull(node);
        return FindAnyVersion(node) is { } row ? ReasonOfVersion(row, row.From, opset) : "is not known";
    }

    /// <summary>The row by name alone.</summary>
    internal static OnnxOperator? FindAnyVersion(NodeProto node) => Rows.GetValueOrDefault((DomainOf(node), node.OpType));

    internal static string DomainOf(NodeProto node) => node.Domain is "ai.onnx" ? "" : node.Domain;

    internal static string ReasonOfVersion(OnnxOperator row, int from, long opset) =>
        opset == 0 ? $"is of domain '{(row.Domain.Length == 0 ? "ai.onnx" : row.Domain)}', of which the model imports no operator set"
        : row.RemovedIn <= opset ? $"is not in operator set {opset}: set {row.RemovedIn} took it out"
        : $"is known from operator set {from} on, and the model's is {opset}";
}
