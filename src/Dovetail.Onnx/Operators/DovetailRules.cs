using Dovetail.Core.Operators;
using Dovetail.Onnx.Model;

namespace Dovetail.Onnx.Operators;

/// <summary>Shapes of Dovetail's own operators. Images are NHWC.</summary>
internal static class DovetailRules
{
    public static Func<ShapeContext, TensorInfo[]> Of(OperatorSchema schema) =>
        schema.IsConvolution ? PackedConv
        : schema.IsPacked ? PackedGemm
        : schema == OperatorSet.GlobalAveragePool ? GlobalPool
        : Slide;

    private static OnnxType OutputType(ShapeContext c) => (OnnxType)c.Node.Schema().OutputType;

    private static TensorInfo[] GlobalPool(ShapeContext c)
    {
        TensorInfo x = c.Input(0, rank: 4);
        return [new TensorInfo(OutputType(c), [x.Shape[0], x.Shape[3]])];
    }

    private static TensorInfo[] Slide(ShapeContext c)
    {
        TensorInfo x = c.Input(0, rank: 4);
        var window = Window.Read(c.Node, c.Node.Get(OperatorAttributes.KernelShape));
        return [new TensorInfo(
            OutputType(c), [x.Shape[0], window.Output(c.Node, 0, x.Shape[1]), window.Output(c.Node, 1, x.Shape[2]), x.Shape[3]])];
    }

    private static TensorInfo[] PackedConv(ShapeContext c)
    {
        TensorInfo x = c.Input(0, rank: 4);
        int[] shape = c.Node.Get(OperatorAttributes.WeightShape);
        if (shape.Length != 4)
            throw c.Bad($"weight_shape has {shape.Length} numbers, expected 4");
        long expected = (long)shape[1] * c.Node.Get(OperatorAttributes.Group);
        if (x.Shape[3].Value is { } channels && channels != expected)
            throw c.Bad($"input {x} has {channels} channels (NHWC), and the weights expect {expected}");
        var window = Window.Read(c.Node, shape[2..]);
        return [new TensorInfo(
            OutputType(c), [x.Shape[0], window.Output(c.Node, 0, x.Shape[1]), window.Output(c.Node, 1, x.Shape[2]), shape[0]])];
    }

    private static TensorInfo[] PackedGemm(ShapeContext c)
    {
        TensorInfo x = c.Input(0);
        int[] shape = c.Node.Get(OperatorAttributes.WeightShape);
        if (shape.Length != 2 || x.Rank < 1)
            throw c.Bad($"weight_shape has {shape.Length} numbers and the input is {x}, expected 2 numbers and rank 1 or more");
        if (x.Shape[^1].Value is { } inputs && inputs != shape[1])
            throw c.Bad($"input {x} has {inputs} columns, and the weights expect {shape[1]}");
        return [new TensorInfo(OutputType(c), [.. x.Shape.SkipLast(1), shape[0]])];
    }
}
