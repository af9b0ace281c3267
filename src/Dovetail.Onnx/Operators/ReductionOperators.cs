namespace Dovetail.Onnx.Operators;

/// <summary>Operators that reduce or normalize along axes without parameters of their own.</summary>
internal static class ReductionOperators
{
    public static IReadOnlyList<OnnxOperator> Rows { get; } =
    [
        Reduce("ReduceL1", 18, [1, 11, 13, 18]),
        Reduce("ReduceL2", 18, [1, 11, 13, 18]),
        Reduce("ReduceLogSum", 18, [1, 11, 13, 18]),
        Reduce("ReduceLogSumExp", 18, [1, 11, 13, 18]),
        Reduce("ReduceMax", 18, [1, 11, 12, 13, 18, 20]),
        Reduce("ReduceMean", 18, [1, 11, 13, 18]),
        Reduce("ReduceMin", 18, [1, 11, 12, 13, 18, 20]),
        Reduce("ReduceProd", 18, [1, 11, 13, 18]),
        Reduce("ReduceSum", 13, [1, 11, 13]),
        Reduce("ReduceSumSquare", 18, [1, 11, 13, 18]),
        new("ArgMax", 1, 11, 12, 13) { Shape = LayoutRules.ArgReduce },
        new("ArgMin", 1, 11, 12, 13) { Shape = LayoutRules.ArgReduce },
        new("CumSum", 11, 14) { RequiredInputs = 2, Shape = ElementwiseRules.Same },
        new("Hardmax", 1, 11, 13) { Shape = ElementwiseRules.Same },
        // Before version 13 over all axes from one on; the order of channels follows all the same.
        new("LogSoftmax", 1, 11, 13) { Shape = ElementwiseRules.Same, Channels = ChannelTie.Alike },
        new("Softmax", 1, 11, 13) { Shape = ElementwiseRules.Same, Channels = ChannelTie.Alike },
        new("TopK", 1, 10, 11, 24) { Parameters = [OperatorParameter.Moved("k", toInput: 1, since: 10)], Shape = LayoutRules.TopK },
    ];

    private static OnnxOperator Reduce(string name, int axesAreInputSince, int[] versions) => new(name, versions)
    {
        Parameters = [OperatorParameter.Moved("axes", toInput: 1, since: axesAreInputSince)],
        Shape = LayoutRules.Reduce,
        Channels = ChannelTie.Reduction,
    };
}
