using Dovetail.Kernels.Selector;
using Dovetail.Tests.Kernels;

namespace Dovetail.Kernels.Tests;

/// <summary>The vectorised activation functions against their definitions in double.</summary>
public sealed class FunctionPassTests
{
    /// <summary>Of max(1, |y|).</summary>
    private const double StatedError = 1e-6;

    public static TheoryData<ActivationKind> Functions => [ActivationKind.Silu, ActivationKind.Gelu, ActivationKind.GeluTanh];

    [Theory]
    [MemberData(nameof(Functions))]
    public unsafe void Errors_stay_below_the_stated_one(ActivationKind function)
    {
        Activation activation = Of(function);
        var values = new float[400_001];
        for (int i = 0; i < values.Length; i++)
            values[i] = (i - 200_000) * 1e-4f;
        float[] inputs = [.. values, -1e-40f, 1e-40f, -100, 100, -1e4f, 1e4f, -87.5f, -88.8f, -103.9f, 1e20f, 3e38f];
        float[] results = [.. inputs];
        fixed (float* pointer = results)
            FunctionPass.Apply(function, pointer, results.Length);
        for (int i = 0; i < inputs.Length; i++)
        {
            double expected = RandomLayer.Apply(activation, inputs[i]);
            Assert.True(Math.Abs(results[i] - expected) <= StatedError * Math.Max(1, Math.Abs(expected)), $"{function}({inputs[i]}) is "
                + $"{results[i]}, expected {expected}.");
        }
    }

    [Theory]
    [MemberData(nameof(Functions))]
    public unsafe void Every_length_changes_its_own_numbers_only(ActivationKind function)
    {
        for (int count = 0; count <= 70; count++)
            foreach (bool guardBefore in new[] { false, true })
            {
                float[] inputs = RandomLayer.Floats(3 * 71, new Random(count));
                using var memory = GuardedMemory<float>.Copy(inputs.AsSpan(0, 2 * 71 + count), guardBefore);
                fixed (float* pointer = memory.Span)
                    FunctionPass.Apply(function, pointer, rows: 3, count, stride: 71);
                for (int i = 0; i < memory.Length; i++)
                {
                    double expected = i % 71 < count ? RandomLayer.Apply(Of(function), inputs[i]) : inputs[i];
                    Assert.True(Math.Abs(memory.Span[i] - expected) <= StatedError, $"{function} of rows of {count}: [{i}] is "
                        + $"{memory.Span[i]}, expected {expected}.");
                }
            }
    }

    private static Activation Of(ActivationKind function) => function switch
    {
        ActivationKind.Silu => Activation.Silu,
        ActivationKind.Gelu => Activation.Gelu,
        _ => Activation.GeluTanh,
    };
}
