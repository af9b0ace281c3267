using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using Dovetail.Kernels.Dispatch;
using Dovetail.Runtime;

namespace Dovetail.Native.Tests;

/// <summary>A C program that registers the native library computes what <see cref="DovetailSession"/> computes.</summary>
public sealed class NativeLibraryTests(NativeHost host) : IClassFixture<NativeHost>
{
    private const int Batch = 3;

    /// <summary>0: the library that picks; otherwise a level of x86-64 that this CPU has.</summary>
    public static TheoryData<int> Builds =>
        RuntimeInformation.ProcessArchitecture != Architecture.X64 ? [0]
        : Avx512F.IsSupported && Avx512BW.IsSupported && Avx512CD.IsSupported && Avx512DQ.IsSupported ? [0, 2, 3, 4]
        : Avx2.IsSupported && Fma.IsSupported ? [0, 2, 3] : [0, 2];

    [Theory]
    [MemberData(nameof(Builds))]
    public void Float_networks_agree_to_rounding(int build)
    {
        foreach (string pattern in new[] { "1:16", "1:8", "2:32", "1:4/out" })
            AgreesWithin(1e-5f, Networks.Float32(pattern, seed: 3), library: Library(build));
    }

    [Theory]
    [MemberData(nameof(Builds))]
    public void Integer_networks_agree_exactly(int build)
    {
        foreach (string pattern in new[] { "1:16", "4:64" })
        {
            (float[] expected, float[] actual) = RunBoth(Networks.Int8(pattern, seed: 4), Library(build));
            Assert.Equal(expected, actual);
        }
    }

    public static TheoryData<string> FloatKernels =>
        new(KernelRegistry.Float32.Where(kernel => kernel.IsSupported).Select(kernel => kernel.Name));

    public static TheoryData<string> BFloat16Kernels =>
        new(KernelRegistry.BFloat16Operands.Where(kernel => kernel.IsSupported).Select(kernel => kernel.Name));

    public static TheoryData<string> IntegerKernels =>
        new(KernelRegistry.Quantized.Where(kernel => kernel.IsSupported).Select(kernel => kernel.Name));

    /// <summary>The library that picks has every kernel that this CPU can run: one that it lacks would be refused by name.</summary>
    [Theory]
    [MemberData(nameof(FloatKernels))]
    public void Every_float_kernel_is_there(string kernel) => AgreesWithin(1e-5f, Networks.Float32("1:8", seed: 5), kernel);

    /// <summary>Sums in another order may round the next layer's input to the other neighbour, eight bits from the first.</summary>
    [Theory]
    [MemberData(nameof(BFloat16Kernels))]
    public void Every_bfloat16_kernel_is_there(string kernel) => AgreesWithin(1e-2f, Networks.BFloat16("2:32", seed: 5), kernel);

    [Theory]
    [MemberData(nameof(IntegerKernels))]
    public void Every_integer_kernel_is_there(string kernel)
    {
        (float[] expected, float[] actual) = RunBoth(Networks.Int8("1:8", seed: 5), host.Library, kernel);
        Assert.Equal(expected, actual);
    }

    [Fact]
    public void A_node_that_is_refused_is_a_status_with_the_message()
    {
        ProcessResult result = host.Run(
            "host", ["again", Write("model.onnx", Networks.Float32("1:8", seed: 5))], library: host.Library, kernel: "no-such-kernel");
        Assert.Equal(1, result.ExitCode);
        Assert.Contains("DOVETAIL_KERNEL names 'no-such-kernel', which is not a kernel", result.Errors, StringComparison.Ordinal);
        Assert.Contains("PackedConv 'down1'", result.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public void An_onnx_runtime_that_is_too_old_is_a_status_that_says_which_is_needed()
    {
        ProcessResult result = host.Run("host", ["old"], host.Library);
        Assert.Equal((1, "The operators of ai.dovetail need ONNX Runtime 1.17 or newer; this is 1.16.3. Use a newer ONNX Runtime.\n"), (
            result.ExitCode, result.Errors));
    }

    /// <summary>ONNX Runtime closes the library with the last session that uses it.</summary>
    [Fact]
    public void Sessions_may_come_and_go()
    {
        ProcessResult result = host.Run("host", ["again", Write("model.onnx", Networks.Float32("1:16", seed: 6))], host.Library);
        Assert.Equal((0, ""), (result.ExitCode, result.Errors));
    }

    /// <summary>ONNX Runtime does not guard the first use of a domain; the library does. (Without it, about one such process in a hundred
    /// fails.)</summary>
    [Fact]
    public void First_sessions_may_be_created_together()
    {
        string model = Write("model.onnx", Networks.Float32("1:16", seed: 6));
        for (int i = 0; i < 20; i++)
        {
            ProcessResult result = host.Run("host", ["together", model], host.Library);
            Assert.Equal((0, ""), (result.ExitCode, result.Errors));
        }
    }

    [Fact]
    public void A_missing_build_is_named()
    {
        Assert.SkipUnless(RuntimeInformation.ProcessArchitecture == Architecture.X64, "There is one build on this architecture, and "
            + "nothing to miss.");
        string alone = Path.Combine(Directory.CreateDirectory(host.FileName("alone")).FullName, Path.GetFileName(host.Library));
        File.Copy(host.Library, alone, overwrite: true);
        ProcessResult result = host.Run("host", ["again", Write("model.onnx", Networks.Float32("1:16", seed: 6))], alone);
        Assert.Equal(1, result.ExitCode);
        Assert.Contains("Keep the libdovetail_onnxruntime.*.so files together in one folder.", result.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public void The_sample_in_c_prints_the_logits()
    {
        byte[] model = Networks.Float32("1:16", seed: 7);
        ProcessResult result = host.Run("run_packed", [Write("model.onnx", model)], host.Library);
        Assert.True(result.ExitCode == 0, result.Errors);
        using var session = DovetailSession.Create(model, new DovetailSessionOptions(1));
        float[] expected = session.Run(new float[28 * 28], 1, 1, 28, 28);
        Assert.Equal(string.Concat(expected.Select(logit => string.Create(null, $"{logit:F4}\n"))), result.Output);
    }

    private string Library(int build) => build == 0 ? host.Library : host.Level(build);

    private void AgreesWithin(float relative, byte[] model, string? kernel = null, string? library = null)
    {
        (float[] expected, float[] actual) = RunBoth(model, library ?? host.Library, kernel);
        float tolerance = relative * expected.Max(MathF.Abs);
        for (int i = 0; i < expected.Length; i++)
            Assert.True(Math.Abs(expected[i] - actual[i]) <= tolerance, $"Logit {i} is {actual[i]}, expected {expected[i]} ± {tolerance}.");
    }

    private (float[] Expected, float[] Actual) RunBoth(byte[] model, string library, string? kernel = null)
    {
        float[] images = Networks.Images(Batch, seed: 8);
        using var session = DovetailSession.Create(model, new DovetailSessionOptions(1, ExactIntegers: true)); // as the host asks for
        float[] expected = session.Run(images, Batch, 1, 28, 28);
        string input = Write("input", MemoryMarshal.AsBytes<float>(images)), output = host.FileName("output");
        ProcessResult result = host.Run(
            "host", ["run", Write("model.onnx", model), input, output, "float", $"{Batch}", "1", "28", "28"], library, kernel);
        Assert.True(result.ExitCode == 0, result.Errors);
        return (expected, MemoryMarshal.Cast<byte, float>(File.ReadAllBytes(output)).ToArray());
    }

    private string Write(string name, ReadOnlySpan<byte> bytes)
    {
        File.WriteAllBytes(host.FileName(name), bytes);
        return host.FileName(name);
    }
}
