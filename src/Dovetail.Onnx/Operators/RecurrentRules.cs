using Dovetail.Onnx.Model;

namespace Dovetail.Onnx.Operators;

/// <summary>Shapes of recurrent layers: all states [T, directions, N, H], then the last ones [directions, N, H].</summary>
internal static class RecurrentRules
{
    /// <param name="states">How many last states stand behind all: 1, or 2 with an LSTM's cells.</param>
    public static Func<ShapeContext, TensorInfo[]> Layer(int states) => c =>
    {
        TensorInfo x = c.Input(0, rank: 3), recurrence = c.Input(2, rank: 3);
        bool batchFirst = c.Node.GetInt("layout", 0) != 0;
        Dim steps = x.Shape[batchFirst ? 1 : 0], batch = x.Shape[batchFirst ? 0 : 1];
        Dim directions = recurrence.Shape[0], hidden = recurrence.Shape[2];
        var last = new TensorInfo(x.Type, batchFirst ? [batch, directions, hidden] : [directions, batch, hidden]);
        var all = new TensorInfo(x.Type, batchFirst ? [batch, steps, directions, hidden] : [steps, directions, batch, hidden]);
        return [all, .. Enumerable.Repeat(last, states)];
    };
}
