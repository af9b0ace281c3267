using Dovetail.Core.Operators;

namespace Dovetail.Onnx.Model;

/// <summary>Nodes of Dovetail's own operators: inputs by name, attributes with the type and default of their schema.</summary>
public static class DovetailNodes
{
    public static NodeProto New(OperatorSchema schema, string name, IEnumerable<string> inputs, IEnumerable<string> outputs)
    {
        ArgumentNullException.ThrowIfNull(schema);
        return new NodeProto(schema.Name, name, inputs, outputs, OperatorSet.Domain);
    }

    /// <returns>Null for a node of another domain, and for an operator that Dovetail's does not have.</returns>
    internal static OperatorSchema? FindSchema(this NodeProto node)
    {
        ArgumentNullException.ThrowIfNull(node);
        return node.Domain == OperatorSet.Domain ? OperatorSet.Find(node.OpType) : null;
    }

    /// <exception cref="OnnxException">The node is none of Dovetail's operators.</exception>
    public static OperatorSchema Schema(this NodeProto node) => FindSchema(node)
        ?? throw new OnnxException(
            $"{node} is no operator of {OperatorSet.Domain}, expected one of: "
            + $"{string.Join(", ", OperatorSet.All.Select(schema => schema.Name))}.");

    public static bool Is(this NodeProto node, OperatorSchema schema) => FindSchema(node) == schema;

    /// <summary>The tensor of an input, or "" where it is left out or the operator has none of that name.</summary>
    public static string Input(this NodeProto node, string name) => Schema(node).FindInput(name) is { } index ? node.Input(index) : "";

    public static bool HasInput(this NodeProto node, string name) => Input(node, name).Length > 0;

    internal static NodeProto SetInput(this NodeProto node, string name, string tensor)
    {
        int index = Schema(node).InputIndex(name);
        while (node.Inputs.Count <= index)
            node.Inputs.Add("");
        node.Inputs[index] = tensor;
        return node;
    }

    /// <summary>An attribute or its default.</summary>
    /// <exception cref="OnnxException">It is of another type, or it must be there and is not.</exception>
    public static string Get(this NodeProto node, StringAttribute attribute)
    {
        ArgumentNullException.ThrowIfNull(attribute);
        string value = attribute.Default is { } fallback ? node.GetString(attribute.Name, fallback) : node.GetString(attribute.Name);
        return attribute.Fault(value) is { } fault ? throw new OnnxException($"Attribute '{attribute.Name}' of {node} {fault}.") : value;
    }

    /// <inheritdoc cref="Get(NodeProto, StringAttribute)"/>
    public static float Get(this NodeProto node, FloatAttribute attribute)
    {
        ArgumentNullException.ThrowIfNull(attribute);
        return node.GetFloat(attribute.Name, attribute.Default);
    }

    /// <inheritdoc cref="Get(NodeProto, StringAttribute)"/>
    public static int Get(this NodeProto node, IntAttribute attribute)
    {
        ArgumentNullException.ThrowIfNull(attribute);
        long value = node.GetInt(attribute.Name, attribute.Default);
        return attribute.Fault(value) is { } fault
            ? throw new OnnxException($"Attribute '{attribute.Name}' of {node} {fault}.")
            : (int)value;
    }

    /// <inheritdoc cref="Get(NodeProto, StringAttribute)"/>
    public static int[] Get(this NodeProto node, IntsAttribute attribute)
    {
        ArgumentNullException.ThrowIfNull(attribute);
        long[] values = node.FindInts(attribute.Name)
            ?? (attribute.Default.IsEmpty ? node.GetInts(attribute.Name) : [.. attribute.Default]);
        return attribute.Fault(values) is { } fault
            ? throw new OnnxException($"Attribute '{attribute.Name}' of {node} {fault}.")
            : Array.ConvertAll(values, value => (int)value);
    }

    public static NodeProto With(this NodeProto node, StringAttribute attribute, string value) => node.With(NameOf(attribute), value);

    public static NodeProto With(this NodeProto node, FloatAttribute attribute, float value) => node.With(NameOf(attribute), value);

    public static NodeProto With(this NodeProto node, IntAttribute attribute, int value) => node.With(NameOf(attribute), (long)value);

    public static NodeProto With(this NodeProto node, IntsAttribute attribute, IEnumerable<int> values) =>
        node.With(NameOf(attribute), values);

    private static string NameOf(OperatorAttribute attribute)
    {
        ArgumentNullException.ThrowIfNull(attribute);
        return attribute.Name;
    }
}
