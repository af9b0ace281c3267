using System.Text;

namespace Dovetail.Onnx.Model;

/// <summary>Typed access to a node's attributes. A wrong type is an <see cref="OnnxException"/> that names node and attribute.</summary>
public static class NodeAttributes
{
    public static AttributeProto? FindAttribute(this NodeProto node, string name)
    {
        ArgumentNullException.ThrowIfNull(node);
        return node.Attributes.Find(a => a.Name == name);
    }

    public static long GetInt(this NodeProto node, string name, long defaultValue) =>
        Find(node, name, AttributeType.Int) is { } a ? a.I ?? 0 : defaultValue;

    public static long GetInt(this NodeProto node, string name) => Require(node, name, AttributeType.Int).I ?? 0;

    public static float GetFloat(this NodeProto node, string name, float defaultValue) =>
        Find(node, name, AttributeType.Float) is { } a ? a.F ?? 0 : defaultValue;

    public static string GetString(this NodeProto node, string name, string defaultValue) =>
        Find(node, name, AttributeType.String) is { } a ? Encoding.UTF8.GetString(a.S ?? []) : defaultValue;

    public static string GetString(this NodeProto node, string name) =>
        Encoding.UTF8.GetString(Require(node, name, AttributeType.String).S ?? []);

    public static long[] GetInts(this NodeProto node, string name) => [.. Require(node, name, AttributeType.Ints).Ints];

    public static long[]? FindInts(this NodeProto node, string name) =>
        Find(node, name, AttributeType.Ints) is { } a ? [.. a.Ints] : null;

    public static TensorProto? FindTensor(this NodeProto node, string name) =>
        Find(node, name, AttributeType.Tensor) is { } a
            ? a.T ?? throw new OnnxException($"Attribute '{name}' of {node} says that it is a tensor and holds none.")
            : null;

    /// <summary>Ints of a fixed count, e.g. two strides; the default where the attribute is absent.</summary>
    public static int[] GetInt32s(this NodeProto node, string name, params int[] defaultValues)
    {
        if (Find(node, name, AttributeType.Ints) is not { } attribute)
            return defaultValues;
        if (attribute.Ints.Count != defaultValues.Length)
            throw new OnnxException($"Attribute '{name}' of {node} has {attribute.Ints.Count} values, expected {defaultValues.Length}.");
        return [.. attribute.Ints.Select(value => value is >= int.MinValue and <= int.MaxValue ? (int)value
            : throw new OnnxException($"Attribute '{name}' of {node} has the value {value}, expected at most {int.MaxValue}."))];
    }

    /// <summary>Adds an attribute or replaces the one of the same name.</summary>
    public static NodeProto With(this NodeProto node, AttributeProto attribute)
    {
        ArgumentNullException.ThrowIfNull(attribute);
        RemoveAttribute(node, attribute.Name);
        node.Attributes.Add(attribute);
        return node;
    }

    public static NodeProto With(this NodeProto node, string name, long value) => node.With(AttributeProto.Of(name, value));

    public static NodeProto With(this NodeProto node, string name, float value) => node.With(AttributeProto.Of(name, value));

    public static NodeProto With(this NodeProto node, string name, string value) => node.With(AttributeProto.Of(name, value));

    public static NodeProto With(this NodeProto node, string name, IEnumerable<long> values) => node.With(AttributeProto.Of(name, values));

    public static NodeProto With(this NodeProto node, string name, IEnumerable<int> values) =>
        node.With(AttributeProto.Of(name, values.Select(v => (long)v)));

    public static void RemoveAttribute(this NodeProto node, string name)
    {
        ArgumentNullException.ThrowIfNull(node);
        node.Attributes.RemoveAll(a => a.Name == name);
    }

    private static AttributeProto? Find(NodeProto node, string name, AttributeType type)
    {
        AttributeProto? attribute = node.FindAttribute(name);
        // Files of the first IR versions left the type out.
        if (attribute is not null && attribute.Type != type && attribute.Type != AttributeType.Undefined)
            throw new OnnxException($"Attribute '{name}' of {node} is of type {attribute.Type}, expected {type}.");
        return attribute;
    }

    private static AttributeProto Require(NodeProto node, string name, AttributeType type) =>
        Find(node, name, type) ?? throw new OnnxException($"{node} has no attribute '{name}' ({type}), which the operator requires.");
}
