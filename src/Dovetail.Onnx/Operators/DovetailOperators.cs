using Dovetail.Core.Operators;

namespace Dovetail.Onnx.Operators;

/// <summary>The shapes of Dovetail's own operators, which are those of the schema.</summary>
internal static class DovetailOperators
{
    public static IReadOnlyList<OnnxOperator> Rows
    {
        get;
    } = [.. OperatorSet.All.Select(schema => new OnnxOperator(schema.Name, schema.SinceVersion)
    {
        Domain = OperatorSet.Domain,
        RequiredInputs = schema.RequiredInputs,
        Shape = DovetailRules.Of(schema),
    })];
}
