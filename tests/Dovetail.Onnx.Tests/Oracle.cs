using Dovetail.Onnx.Model;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Dovetail.Onnx.Tests;

/// <summary>Runs a model in ONNX Runtime, without its graph optimizations where the graph itself is under test.</summary>
internal static class Oracle
{
    private static readonly string[] s_integerProducts = ["QLinearConv", "QLinearMatMul", "MatMulInteger", "QGemm"];

    /// <param name="optimize">
    /// Needed for products of integers: CPUs without VNNI saturate sums of two uint8 × int8 products unless an optimization
    /// makes the weights uint8.
    /// </param>
    public static Dictionary<string, (float[] Data, int[] Shape)> Run(OnnxModel model, float[] input, int[] shape, bool optimize = false)
    {
        Assert.True(
            optimize || !model.Nodes.Exists(node => s_integerProducts.Contains(node.OpType)),
            "ONNX Runtime multiplies integers exactly only in an optimized graph.");
        using var options = new SessionOptions
        {
            IntraOpNumThreads = 1,
            GraphOptimizationLevel = optimize ? GraphOptimizationLevel.ORT_ENABLE_ALL : GraphOptimizationLevel.ORT_DISABLE_ALL,
            LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR,
        };
        options.AddSessionConfigEntry("session.x64quantprecision", "1");
        using var session = new InferenceSession(model.ToBytes(), options);
        string name = Assert.Single(session.InputMetadata.Keys);
        using var results = session.Run([NamedOnnxValue.CreateFromTensor(name, new DenseTensor<float>(input, shape))]);
        return results.ToDictionary(
            r => r.Name,
            r => r.Value switch
            {
                DenseTensor<float> f => (f.ToArray(), f.Dimensions.ToArray()),
                DenseTensor<byte> b => (Array.ConvertAll(b.ToArray(), v => (float)v), b.Dimensions.ToArray()),
                _ => throw new InvalidOperationException($"Output of type {r.Value.GetType()}."),
            });
    }

    /// <summary>The operators of the graph that ONNX Runtime makes of a model before it runs it.</summary>
    public static List<string> OptimizedOperators(OnnxModel model)
    {
        string path = Path.Combine(Path.GetTempPath(), $"dovetail-{Guid.NewGuid():N}.onnx");
        try
        {
            using var options = new SessionOptions
            {
                GraphOptimizationLevel = GraphOptimizationLevel.ORT_ENABLE_EXTENDED,
                OptimizedModelFilePath = path,
                LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR,
            };
            using var session = new InferenceSession(model.ToBytes(), options);
            return [.. OnnxModel.Load(path).Nodes.Select(n => n.OpType)];
        }
        finally
        {
            File.Delete(path);
        }
    }

    public static float[] Images(int seed, int count) => Uniform(seed, count * 28 * 28, 0, 1);

    public static float[] Uniform(int seed, int count, float from, float to)
    {
        var random = new Random(seed);
        var values = new float[count];
        for (int i = 0; i < count; i++)
            values[i] = from + (to - from) * random.NextSingle();
        return values;
    }

    public static void AssertClose(float[] expected, float[] actual, float tolerance)
    {
        Assert.Equal(expected.Length, actual.Length);
        float scale = expected.Max(MathF.Abs);
        for (int i = 0; i < expected.Length; i++)
            Assert.True(MathF.Abs(expected[i] - actual[i]) <= tolerance * scale, $"[{i}]: expected {expected[i]}, got {actual[i]} (largest "
                + $"{scale}).");
    }
}
