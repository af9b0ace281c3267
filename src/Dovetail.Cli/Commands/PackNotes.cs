using Dovetail.Core;
using Dovetail.Core.Patterns;
using Dovetail.Kernels;
using Dovetail.Kernels.Dispatch;
using Dovetail.Onnx.Layers;
using Dovetail.Onnx.Model;

namespace Dovetail.Cli.Commands;

/// <summary>What <c>dovetail pack</c> says of options that do less than they seem to.</summary>
internal static class PackNotes
{
    private const int MostNames = 6;

    /// <summary>The entries that multiply bfloat16; the last one rounds and multiplies in fp32.</summary>
    private static IEnumerable<Kernel<Float32Specification, float>> Multiplying => KernelRegistry.BFloat16Operands.SkipLast(1);

    /// <param name="option">One that is about floating-point weights; null: none was given.</param>
    /// <exception cref="DovetailException">All packed layers are int8, so that the option would change nothing.</exception>
    public static void CheckFloats(OnnxModel packed, string? option)
    {
        if (option is not null && !PackedWeights.Nodes(packed).Any(entry => IsFloat(entry.Node)))
            throw new DovetailException(
                $"{option} has no effect: it is about floating-point weights, and all packed layers have int8 ones. Leave it out.");
    }

    /// <summary>Where <c>--operands bf16</c> costs precision and gains nothing; nothing where it gains.</summary>
    public static IEnumerable<string> OnBFloat16(OnnxModel packed)
    {
        List<(string Name, CellLayout Layout)> floats =
            [.. PackedWeights.Nodes(packed).Where(entry => IsFloat(entry.Node))
                .Select(entry => (entry.Node.Name, PackedWeights.Read(entry.Graph, entry.Node).Layout))];
        List<(string Name, CellLayout Layout)> slow = [.. floats.Where(layer => !Multiplying.Any(kernel => kernel.Accepts(layer.Layout)))];
        if (slow.Count > 0)
            yield return
                $"--operands bf16 gains nothing in {slow.Count} of {floats.Count} layers and makes them less precise ({Words(slow)}): "
                + "products of bf16 are there for contiguous groups of at most 32 along the inputs, and other layers multiply their "
                + "rounded operands in fp32.";
        if (slow.Count < floats.Count && !Multiplying.Any(kernel => kernel.IsSupported))
            yield return
                "--operands bf16 gains nothing on this CPU, which does not multiply bf16 (AVX512_BF16): operands are rounded and "
                + "multiplied in fp32. It pays where the model will run on one that does.";
    }

    /// <summary>Weights with a default that a caller could have replaced, and cannot any more.</summary>
    public static string? OnLostInputs(OnnxModel source, OnnxModel packed)
    {
        string[] lost = [.. source.Graph.Inputs.Select(input => input.Name).Except(packed.Graph.Inputs.Select(input => input.Name))];
        return source.IrVersion < 4 || lost.Length == 0 ? null // before version 4 every initializer had to be an input
            : $"Weights that were inputs with a default can no longer be fed, as they are packed or folded: {List(lost)}.";
    }

    private static bool IsFloat(NodeProto node) => !PackedWeights.IsQuantized(node);

    private static string Words(List<(string Name, CellLayout Layout)> layers) =>
        List([.. layers.Select(layer => $"{layer.Name} {layer.Layout.Pattern}")]);

    /// <summary>The first few, and how many more there are.</summary>
    public static string List(IReadOnlyList<string> names) =>
        string.Join(", ", names.Take(MostNames)) + (names.Count > MostNames ? $" and {names.Count - MostNames} more" : "");
}
