using Dovetail.Core.Packing;
using Dovetail.Runtime;
using Microsoft.ML.OnnxRuntime;

namespace Dovetail.Benchmarking.Layers;

/// <summary>
/// A speed is printed only for a right result: runs the packed operator and ONNX's own with the same weights on the same
/// random input. Integers may differ by one step, where ONNX Runtime rounds a product of scales otherwise.
/// Its integers are asked to be exact, which it can for these models: constant weights, QLinearConv and QLinearMatMul of opset 17.
/// </summary>
internal static class LayerCheck
{
    /// <exception cref="BenchmarkException">The results differ.</exception>
    /// <param name="packed">The packed operator on NHWC.</param>
    /// <param name="dense">ONNX's own operator on NCHW.</param>
    /// <param name="weights">What <paramref name="packed"/> holds.</param>
    public static void Compare(LayerShape shape, byte[] packed, byte[] dense, PackedTensor weights, int batch, int threads, int seed)
    {
        if (weights.DType == DType.Int8)
            CompareBytes(shape, packed, dense, weights, batch, threads, seed);
        else
            CompareFloats(shape, packed, dense, weights, batch, threads, seed);
    }

    private static void CompareFloats(LayerShape shape, byte[] packed, byte[] dense, PackedTensor weights, int batch, int threads, int seed)
    {
        long[] last = shape.ChannelsLastInput(batch), first = shape.ChannelsFirstInput(batch);
        var input = new float[last.Aggregate(1L, (a, b) => a * b)];
        var random = new Random(seed);
        foreach (ref float element in input.AsSpan())
            element = (float)(random.NextDouble() * 2 - 1);
        float[] result = Run(packed, input, last, threads),
            expected = ToLast(Run(dense, ToFirst(input, last), first, threads), shape, batch);
        double scale = expected.Max(MathF.Abs);
        Judge(shape, weights, batch, result.Zip(expected, (a, b) => (double)MathF.Abs(a - b)).Max() / scale, Tolerance(weights.DType));
    }

    private static void CompareBytes(LayerShape shape, byte[] packed, byte[] dense, PackedTensor weights, int batch, int threads, int seed)
    {
        long[] last = shape.ChannelsLastInput(batch), first = shape.ChannelsFirstInput(batch);
        var input = new byte[last.Aggregate(1L, (a, b) => a * b)];
        new Random(seed).NextBytes(input);
        byte[] result = Run(packed, input, last, threads),
            expected = ToLast(Run(dense, ToFirst(input, last), first, threads), shape, batch);
        Judge(shape, weights, batch, result.Zip(expected, (a, b) => (double)Math.Abs(a - b)).Max(), 1);
    }

    private static void Judge(LayerShape shape, PackedTensor weights, int batch, double difference, double limit)
    {
        if (!(difference <= limit)) // NaN differs
            throw new BenchmarkException($"Layer '{shape.Workload.Name}' in pattern {weights.Pattern}: packed and dense results differ by "
                + $"{difference:G3}, expected at most {limit:G3}. The kernel {KernelNames.Of(weights, (long)shape.Workload.N * batch)} is "
                + "wrong; please report it.");
    }

    /// <summary>Of the greatest output: sums in another order; operands rounded to 8 or 11 bits.</summary>
    private static double Tolerance(DType type) => type switch
    {
        DType.Float32 => 1e-4,
        DType.Float16 => 4e-3,
        _ => 3e-2,
    };

    private static T[] Run<T>(byte[] model, T[] input, long[] dimensions, int threads)
        where T : unmanaged
    {
        using var session = DovetailSession.Create(model, new DovetailSessionOptions(threads, ExactIntegers: true));
        using OrtValue value = OrtValue.CreateTensorValueFromMemory(input, dimensions);
        using var options = new RunOptions();
        using IDisposableReadOnlyCollection<OrtValue> outputs = session.RunChecked(
            options, [session.InputName], [value], [session.Inner.OutputNames[0]]);
        return outputs[0].GetTensorDataAsSpan<T>().ToArray();
    }

    private static T[] ToFirst<T>(T[] values, long[] last) =>
        last is [var n, var h, var w, var c] ? Transpose(values, n, h * w, c) : values;

    private static T[] ToLast<T>(T[] values, LayerShape shape, int batch) =>
        shape.Workload.Convolution is { } g ? Transpose(values, batch, shape.Workload.M, g.OutputPixels) : values;

    private static T[] Transpose<T>(T[] values, long images, long rows, long columns)
    {
        var result = new T[values.Length];
        for (long i = 0; i < images; i++)
            for (long row = 0; row < rows; row++)
                for (long column = 0; column < columns; column++)
                    result[(i * columns + column) * rows + row] = values[(i * rows + row) * columns + column];
        return result;
    }
}
