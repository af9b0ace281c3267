namespace Dovetail.Onnx.Operators;

/// <summary>Operators of several tensors that are broadcast to one shape, number by number.</summary>
internal static class OperandOperators
{
    public static IReadOnlyList<OnnxOperator> Rows { get; } =
    [
        Arithmetic("Add", [1, 6, 7, 13, 14], (x, y) => x + y) with { Values = ValueRules.Arithmetic((a, b) => a + b, neutral: 0) },
        Arithmetic("Sub", [1, 6, 7, 13, 14], (x, y) => x - y) with { Values = ValueRules.Arithmetic((a, b) => a - b, neutral: null) },
        Arithmetic("Mul", [1, 6, 7, 13, 14], (x, y) => x * y) with { Values = ValueRules.Arithmetic((a, b) => a * b, neutral: 1) },
        Arithmetic("Div", [1, 6, 7, 13, 14], (x, y) => x / y) with
        {
            Values = ValueRules.Arithmetic((a, b) => b == 0 ? null : a / b, neutral: null),
        },
        Arithmetic("Pow", [1, 7, 12, 13, 15], Math.Pow),
        Arithmetic("PRelu", [1, 6, 7, 9, 16], (x, slope) => x < 0 ? slope * x : x),
        new("Mod", 10, 13)
        {
            RequiredInputs = 2,
            Shape = ElementwiseRules.Binary,
            Layout = LayoutFreedom.Operands,
            Channels = ChannelTie.Operands,
        },

        Variadic("Max", [1, 6, 8, 12, 13], Math.Max),
        Variadic("Mean", [1, 6, 8, 13], (x, y) => (x + y) / 2),
        Variadic("Min", [1, 6, 8, 12, 13], Math.Min),
        Variadic("Sum", [1, 6, 8, 13], (x, y) => x + y),

        Compare("And", 1, 7),
        Compare("Equal", 1, 7, 11, 13, 19) with
        {
            Values = ValueRules.Arithmetic((a, b) => a == b ? 1 : 0, neutral: null),
        },
        Compare("Greater", 1, 7, 9, 13),
        Compare("GreaterOrEqual", 12, 16),
        Compare("Less", 1, 7, 9, 13),
        Compare("LessOrEqual", 12, 16),
        Compare("Or", 1, 7),
        Compare("Xor", 1, 7),
        new("Where", 9, 16) { RequiredInputs = 3, Shape = ElementwiseRules.Where },
    ];

    private static OnnxOperator Arithmetic(string name, int[] versions, Func<double, double, double> function) => new(name, versions)
    {
        From = ElementwiseRules.Broadcasts,
        RequiredInputs = 2,
        Shape = ElementwiseRules.Binary,
        Layout = LayoutFreedom.Operands,
        Channels = ChannelTie.Operands,
        Binary = function,
    };

    private static OnnxOperator Variadic(string name, int[] versions, Func<double, double, double> function) =>
        Arithmetic(name, versions, function) with { From = 1, RequiredInputs = 1, Shape = ElementwiseRules.Variadic };

    private static OnnxOperator Compare(string name, params int[] versions) => new(name, versions)
    {
        From = Math.Max(versions[0], ElementwiseRules.Broadcasts),
        RequiredInputs = 2,
        Shape = ElementwiseRules.Compare,
    };
}
