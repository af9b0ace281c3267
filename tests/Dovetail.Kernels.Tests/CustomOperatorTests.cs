using Dovetail.Core.Operators;
using Dovetail.Kernels.OnnxOperators;

namespace Dovetail.Kernels.Tests;

/// <summary>ONNX Runtime is given every operator of the schema, and no other.</summary>
public sealed class CustomOperatorTests
{
    [Fact]
    public void Every_operator_of_the_schema_has_kernels() =>
        Assert.Equal(OperatorSet.All, CustomOperator.All.Select(definition => definition.Schema));
}
