using Dovetail.Onnx.Model;

namespace Dovetail.Onnx.Operators;

/// <summary>
/// All that is known here about an ONNX operator: one row of <see cref="OnnxOperators"/>. What a row lacks is null, and a pass
/// that needs it treats the operator as one it does not know. docs/onnx-operators.md shows the rows.
/// </summary>
public sealed record OnnxOperator
{
    /// <param name="versions">The operator sets that changed the operator, ascending: the "since version" of each of its schemas.</param>
    internal OnnxOperator(string name, params int[] versions) =>
        (Name, Versions, From, ShapeFrom) = (name, versions, versions[0], versions[0]);

    public string Name { get; }

    /// <summary>"" is ONNX's own.</summary>
    public string Domain { get; internal init; } = "";

    /// <summary>Ascending.</summary>
    public IReadOnlyList<int> Versions { get; }

    /// <summary>The lowest version whose meaning the row states.</summary>
    public int From { get; internal init; }

    /// <summary>The version that took the operator out of the standard; null where none did.</summary>
    public int? RemovedIn { get; internal init; }

    /// <summary>The lowest version that the shape rule is right for, which may be older than <see cref="From"/>.</summary>
    internal int ShapeFrom { get; init; }

    /// <summary>How many inputs a node must have at least.</summary>
    internal int RequiredInputs { get; init; } = 1;

    /// <summary>What was an attribute in some versions and an input in others.</summary>
    internal IReadOnlyList<OperatorParameter> Parameters { get; init; } = [];

    /// <summary>Types and shapes of the outputs; those it leaves out at the end are not known.</summary>
    internal Func<ShapeContext, TensorInfo[]>? Shape { get; init; }

    /// <summary>
    /// The elements of the first output, where it is a short integer tensor that graphs compute shapes with; null where they
    /// are not known.
    /// </summary>
    internal Func<ShapeContext, Dim[]?>? Values { get; init; }

    /// <summary>How it works on NHWC images in place of NCHW ones.</summary>
    internal LayoutFreedom? Layout { get; init; }

    /// <summary>How the order of its output's channels follows that of its inputs.</summary>
    internal ChannelTie? Channels { get; init; }

    /// <summary>The function of each number of the first input; the rule gives null where that is computed at run time.</summary>
    internal Func<OperatorNode, Func<double, double>?>? Unary { get; init; }

    /// <summary>The function of each two numbers of two inputs.</summary>
    internal Func<double, double, double>? Binary { get; init; }

    /// <summary>The version of the operator in a model of this operator set; 0 where it is not in it.</summary>
    public int VersionAt(long opset) => RemovedIn <= opset ? 0 : Versions.LastOrDefault(version => version <= opset);

    public override string ToString() => Domain.Length == 0 ? Name : $"{Domain}.{Name}";
}
