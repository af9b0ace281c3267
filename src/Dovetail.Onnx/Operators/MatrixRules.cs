using Dovetail.Onnx.Model;

namespace Dovetail.Onnx.Operators;

/// <summary>Shapes of matrix products.</summary>
internal static class MatrixRules
{
    public static TensorInfo[] Gemm(ShapeContext c)
    {
        TensorInfo a = c.Input(0, rank: 2), b = c.Input(1, rank: 2);
        bool transA = c.Node.GetInt("transA", 0) != 0, transB = c.Node.GetInt("transB", 0) != 0;
        CheckInner(c, a.Shape[transA ? 0 : 1], b.Shape[transB ? 1 : 0], a, b);
        return [new TensorInfo(a.Type, [a.Shape[transA ? 1 : 0], b.Shape[transB ? 0 : 1]])];
    }

    /// <param name="second">The input that holds the right matrix.</param>
    public static TensorInfo MatMul(ShapeContext c, int second = 1)
    {
        TensorInfo a = c.Input(0), b = c.Input(second);
        if (a.Rank < 1 || b.Rank < 1)
            throw c.Bad($"{a} times {b}: a number is no matrix");
        // As NumPy's: a vector is a row on the left and a column on the right, and its own dimension of 1 goes away again.
        CheckInner(c, a.Shape[^1], b.Shape[b.Rank == 1 ? 0 : ^2], a, b);
        Dim[] batch = c.Broadcast(
            new TensorInfo(a.Type, [.. a.Shape.SkipLast(2)]), new TensorInfo(b.Type, [.. b.Shape.SkipLast(2)]));
        return new TensorInfo(a.Type, [.. batch, .. a.Rank == 1 ? [] : (Dim[])[a.Shape[^2]], .. b.Rank == 1 ? [] : (Dim[])[b.Shape[^1]]]);
    }

    private static void CheckInner(ShapeContext c, Dim k, Dim other, TensorInfo a, TensorInfo b)
    {
        if (k.IsKnown && other.IsKnown && k != other)
            throw c.Bad($"{a} and {b} do not multiply: the inner sizes are {k} and {other}");
    }
}
