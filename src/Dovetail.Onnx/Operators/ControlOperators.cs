namespace Dovetail.Onnx.Operators;

/// <summary>Recurrent layers, and operators whose body is a graph.</summary>
internal static class ControlOperators
{
    public static IReadOnlyList<OnnxOperator> Rows { get; } =
    [
        Recurrent("GRU", 1, [1, 3, 7, 14, 22]),
        Recurrent("LSTM", 2, [1, 7, 14, 22]),
        Recurrent("RNN", 1, [1, 7, 14, 22]),
        new("If", 1, 11, 13, 16, 19, 21, 23, 24, 25),
        new("Loop", 1, 11, 13, 16, 19, 21, 23, 24, 25),
        new("Scan", 8, 9, 11, 16, 19, 21, 23, 24, 25),
    ];

    // Before version 7 an attribute said which outputs there are.
    private static OnnxOperator Recurrent(string name, int states, int[] versions) =>
        new(name, versions) { From = 7, ShapeFrom = 7, RequiredInputs = 3, Shape = RecurrentRules.Layer(states) };
}
