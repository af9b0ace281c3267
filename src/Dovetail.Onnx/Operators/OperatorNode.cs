using Dovetail.Onnx.Model;

namespace Dovetail.Onnx.Operators;

/// <summary>A node as the row of its operator reads it, in the version that the model's operator set means.</summary>
public sealed class OperatorNode
{
    internal OperatorNode(OnnxModel model, NodeProto node, OnnxOperator row)
    {
        (Model, Node, Operator) = (model, node, row);
        Version = row.VersionAt(OpsetOf(model, node));
    }

    public OnnxModel Model { get; }

    public NodeProto Node { get; }

    public OnnxOperator Operator { get; }

    /// <summary>Of the operator: one of <see cref="OnnxOperator.Versions"/>.</summary>
    public int Version { get; }

    /// <summary>Null for an operator or a version of it whose meaning no row states.</summary>
    public static OperatorNode? Find(OnnxModel model, NodeProto node)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(node);
        return OnnxOperators.Find(node, OpsetOf(model, node)) is { } row ? new OperatorNode(model, node, row) : null;
    }

    /// <summary>True where the node says what a parameter is, be it by an attribute or an input.</summary>
    public bool IsGiven(string parameter) => Locate(parameter) is (not null, _) or (_, not null);

    /// <summary>True where a parameter is known only at run time.</summary>
    internal bool IsComputed(string parameter) => Locate(parameter).Input is { } input && Model.FindConstant(Node.Inputs[input]) is null;

    /// <summary>A parameter that is a number or several; null where it is left out.</summary>
    /// <exception cref="OnnxException">It is computed at run time, or stands where another version has it.</exception>
    public long[]? Ints(string parameter) => Locate(parameter) switch
    {
        (_, { } input) => Model.Constant(Node.Inputs[input], Node).ToInt64s(),
        ({ Type: AttributeType.Int, I: var number }, _) => [number ?? 0],
        ({ } attribute, _) => Node.GetInts(attribute.Name),
        _ => null,
    };

    /// <summary>A parameter of one number; null where it is computed at run time or no number.</summary>
    /// <exception cref="OnnxException">It stands where another version has it.</exception>
    public float? Float(string parameter, float whenLeftOut) => Locate(parameter) switch
    {
        (_, { } input) => Model.FindConstant(Node.Inputs[input]) is { DataType: OnnxType.Float } tensor && tensor.ToFloats() is [var value]
            ? value
            : null,
        _ => Node.GetFloat(parameter, whenLeftOut),
    };

    /// <summary>A parameter of several numbers; null where it is left out, empty or computed at run time.</summary>
    internal float[]? FindFloats(string parameter) => Locate(parameter) switch
    {
        (_, { } input) => Model.FindConstant(Node.Inputs[input])?.ToFloats() is { Length: > 0 } values ? values : null,
        ({ Floats: var values }, _) => [.. values],
        _ => null,
    };

    /// <summary>The attribute or the input that holds a parameter; neither where it is left out.</summary>
    internal (AttributeProto? Attribute, int? Input) Locate(string parameter)
    {
        OperatorParameter row = Operator.Parameters.FirstOrDefault(p => p.Name == parameter)
            ?? throw new ArgumentException($"The row of {Operator} has no parameter '{parameter}'.", nameof(parameter));
        AttributeProto? attribute = Node.FindAttribute(parameter);
        int at = Array.FindLastIndex(row.Places, place => place.Since <= Version);
        if (at < 0)
            return (null, null);
        if (row.Places[at].Input is { } input)
        {
            return attribute is null ? (null, Node.HasInput(input) ? input : null)
                : throw Misplaced(parameter, "an attribute", $"input {input}");
        }

        return at + 1 < row.Places.Length && row.Places[at + 1].Input is { } later && Node.HasInput(later)
            ? throw Misplaced(parameter, $"input {later}", "an attribute")
            : (attribute, null);
    }

    internal static long OpsetOf(OnnxModel model, NodeProto node) => model.OpsetVersion(OnnxOperators.DomainOf(node));

    private OnnxException Misplaced(string parameter, string found, string expected) =>
        new($"{Node} has '{parameter}' as {found}; in operator set {OpsetOf(Model, Node)} it is {expected}.");
}
