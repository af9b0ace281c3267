using Dovetail.Core.Workloads;
using Dovetail.Onnx.Model;

namespace Dovetail.Onnx.Operators;

/// <summary>Operators that take each number of their first input alone.</summary>
internal static class ElementwiseOperators
{
    public static IReadOnlyList<OnnxOperator> Rows { get; } =
    [
        Of("Abs", [1, 6, 13], Math.Abs),
        Of("Acos", [7, 22], Math.Acos),
        Of("Acosh", [9, 22], Math.Acosh),
        Of("Asin", [7, 22], Math.Asin),
        Of("Asinh", [9, 22], Math.Asinh),
        Of("Atan", [7, 22], Math.Atan),
        Of("Atanh", [9, 22], Math.Atanh),
        Of("Ceil", [1, 6, 13], Math.Ceiling),
        Of("Cos", [7, 22], Math.Cos),
        Of("Cosh", [9, 22], Math.Cosh),
        Of("Erf", [9, 13], ScalarFunctions.Erf),
        Of("Exp", [1, 6, 13], Math.Exp),
        Of("Floor", [1, 6, 13], Math.Floor),
        Of("HardSwish", [14, 22], x => x * HardSigmoid(x, 1 / 6.0, 0.5)),
        Of("Log", [1, 6, 13], Math.Log),
        Of("Mish", [18, 22], x => x * Math.Tanh(Softplus(x))),
        Of("Neg", [1, 6, 13], x => -x),
        Of("Reciprocal", [1, 6, 13], x => 1 / x),
        Of("Relu", [1, 6, 13, 14], x => Math.Max(0, x)),
        Of("Round", [11, 22], x => Math.Round(x, MidpointRounding.ToEven)),
        Of("Sigmoid", [1, 6, 13], ScalarFunctions.Sigmoid),
        Of("Sign", [9, 13], x => Math.Sign(x)),
        Of("Sin", [7, 22], Math.Sin),
        Of("Sinh", [9, 22], Math.Sinh),
        Of("Softplus", [1, 22], Softplus),
        Of("Softsign", [1, 22], x => x / (1 + Math.Abs(x))),
        Of("Sqrt", [1, 6, 13], Math.Sqrt),
        Of("Tan", [7, 22], Math.Tan),
        Of("Tanh", [1, 6, 13], Math.Tanh),

        With("Celu", [12], "alpha", 1, (x, alpha) => Math.Max(0, x) + Math.Min(0, alpha * (Math.Exp(x / alpha) - 1))),
        With("Elu", [1, 6, 22], "alpha", 1, (x, alpha) => x < 0 ? alpha * (Math.Exp(x) - 1) : x),
        With("HardSigmoid", [1, 6, 22], "alpha", 0.2f, "beta", 0.5f, HardSigmoid),
        With("LeakyRelu", [1, 6, 16], "alpha", 0.01f, (x, alpha) => x < 0 ? alpha * x : x),
        With("Selu", [1, 6, 22], "alpha", 1.67326319f, "gamma", 1.05070102f, Selu) with { From = 6 }, // defaults had fewer digits before
        With("Shrink", [9], "bias", 0, "lambd", 0.5f, (x, bias, limit) => x < -limit ? x + bias : x > limit ? x - bias : 0),
        With("Swish", [24], "alpha", 1, (x, alpha) => x * ScalarFunctions.Sigmoid(alpha * x)),
        With("ThresholdedRelu", [10, 22], "alpha", 1, (x, alpha) => x > alpha ? x : 0),
        new("Clip", 1, 6, 11, 12, 13)
        {
            Parameters = [OperatorParameter.Moved("min", toInput: 1, since: 11), OperatorParameter.Moved("max", toInput: 2, since: 11)],
            Shape = ElementwiseRules.Same,
            Layout = LayoutFreedom.Elementwise,
            Channels = ChannelTie.Alike,
            Unary = op => op.Float("min", float.NegativeInfinity) is { } least && op.Float("max", float.PositiveInfinity) is { } greatest
                ? x => Math.Min(greatest, Math.Max(least, x))
                : null,
        },
        new("Gelu", 20)
        {
            Shape = ElementwiseRules.Same,
            Layout = LayoutFreedom.Elementwise,
            Channels = ChannelTie.Alike,
            Unary = op => op.Node.GetString("approximate", "none") == "tanh" ? ScalarFunctions.GeluTanh : ScalarFunctions.Gelu,
        },

        Of("Identity", [1, 13, 14, 16, 19, 21, 23, 24, 25], x => x) with { Values = ValueRules.Same },
        Of("Dropout", [1, 6, 7, 10, 12, 13, 22], x => x) with
        {
            Parameters = [OperatorParameter.Moved("ratio", toInput: 1, since: 12)],
            Shape = ElementwiseRules.Dropout,
        },
        Typed("Cast", [1, 6, 9, 13, 19, 21, 23, 24, 25], ElementwiseRules.Cast) with
        {
            From = 6,
            ShapeFrom = 6,
            Values = ValueRules.Integers,
        },
        Typed("CastLike", [15, 19, 21, 23, 24, 25], ElementwiseRules.CastLike) with { RequiredInputs = 2, Values = ValueRules.Integers },
        Typed("IsInf", [10, 20], ElementwiseRules.SameBool),
        Typed("IsNaN", [9, 13, 20], ElementwiseRules.SameBool),
        Typed("Not", [1], ElementwiseRules.SameBool) with { Values = ValueRules.Not },
    ];

    private static OnnxOperator Of(string name, int[] versions, Func<double, double> function) =>
        Typed(name, versions, ElementwiseRules.Same) with { Unary = _ => function };

    private static OnnxOperator With(string name, int[] versions, string attribute, float usual, Func<double, double, double> function) =>
        Typed(name, versions, ElementwiseRules.Same) with
        {
            Unary = op =>
            {
                double value = op.Node.GetFloat(attribute, usual);
                return x => function(x, value);
            },
        };

    private static OnnxOperator With(
        string name, int[] versions, string first, float usual, string second, float usualSecond,
        Func<double, double, double, double> function) =>
        Typed(name, versions, ElementwiseRules.Same) with
        {
            Unary = op =>
            {
                double a = op.Node.GetFloat(first, usual), b = op.Node.GetFloat(second, usualSecond);
                return x => function(x, a, b);
            },
        };

    private static OnnxOperator Typed(string name, int[] versions, Func<ShapeContext, TensorInfo[]> shape) =>
        new(name, versions) { Shape = shape, Layout = LayoutFreedom.Elementwise, Channels = ChannelTie.Alike };

    private static double HardSigmoid(double x, double alpha, double beta) => Math.Clamp(alpha * x + beta, 0, 1);

    private static double Selu(double x, double alpha, double gamma) => gamma * (x > 0 ? x : alpha * (Math.Exp(x) - 1));

    private static double Softplus(double x) => Math.Max(0, x) + Math.Log(1 + Math.Exp(-Math.Abs(x)));
}
