using Dovetail.Onnx.Model;

namespace Dovetail.Onnx.Operators;

/// <summary>Shapes of operators that take each number, or each two that face each other, alone.</summary>
internal static class ElementwiseRules
{
    /// <summary>Since this version operands are broadcast to each other; before, the second one to the first.</summary>
    public const int Broadcasts = 7;

    public static TensorInfo[] Same(ShapeContext c) => [c.Input(0)];

    public static TensorInfo[] SameBool(ShapeContext c) => [c.Input(0) with { Type = OnnxType.Bool }];

    public static TensorInfo[] Cast(ShapeContext c) => [c.Input(0) with { Type = (OnnxType)c.Node.GetInt("to") }];

    public static TensorInfo[] CastLike(ShapeContext c) => [c.Input(0) with { Type = c.Input(1).Type }];

    /// <summary>The mask behind it was a number before version 10.</summary>
    public static TensorInfo[] Dropout(ShapeContext c) =>
        [c.Input(0), c.Version < 10 ? c.Input(0) : c.Input(0) with { Type = OnnxType.Bool }];

    public static TensorInfo[] Binary(ShapeContext c) =>
        [c.Version < Broadcasts ? c.Input(0) : new TensorInfo(c.Input(0).Type, c.Broadcast(c.Input(0), c.Input(1)))];

    public static TensorInfo[] Compare(ShapeContext c) => [Binary(c)[0] with { Type = OnnxType.Bool }];

    public static TensorInfo[] Variadic(ShapeContext c) =>
        [Enumerable.Range(1, c.Node.Inputs.Count - 1).Aggregate(c.Input(0), (x, i) => new TensorInfo(x.Type, c.Broadcast(x, c.Input(i))))];

    public static TensorInfo[] Where(ShapeContext c)
    {
        TensorInfo chosen = c.Input(1);
        return [new TensorInfo(chosen.Type, c.Broadcast(new TensorInfo(chosen.Type, c.Broadcast(c.Input(0), chosen)), c.Input(2)))];
    }
}
