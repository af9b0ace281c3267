using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using Dovetail.Core;
using Dovetail.Onnx.Layers;
using Dovetail.Onnx.Model;

namespace Dovetail.Cli.Commands;

/// <summary><c>--dim NAME=N</c>: sizes for what a model leaves open, e.g. tokens. The first dimension is the batch.</summary>
internal static class DimensionOption
{
    private const string Name = "--dim";

    public static Option<Dictionary<string, long>> Create() => new(Name)
    {
        Description = "Size of a dimension that the model leaves open, e.g. T=128 tokens. May be repeated.",
        HelpName = "NAME=N",
        AllowMultipleArgumentsPerToken = true,
        CustomParser = Parse,
        DefaultValueFactory = _ => [],
    };

    /// <summary>The model with these sizes.</summary>
    /// <param name="source">As the user names the model.</param>
    /// <exception cref="DovetailException">No input has such a dimension, or it is the batch.</exception>
    public static OnnxModel Apply(OnnxModel model, IReadOnlyDictionary<string, long> sizes, string source)
    {
        GraphSlicer.NameOpenDimensions(model);
        List<string> batch = [.. Shapes(model).Select(shape => shape.FirstOrDefault()?.Symbol).OfType<string>()];
        HashSet<string?> inner = [.. Shapes(model).SelectMany(shape => shape.Skip(1)).Select(dimension => dimension.Symbol)];
        if (sizes.Keys.FirstOrDefault(name => batch.Contains(name) && !inner.Contains(name)) is { } first)
            throw new DovetailException($"{Name} {first}: this is the first dimension of an input of '{source}', the batch.");
        return sizes.Count == 0 ? model : GraphSlicer.WithDimensions(model, sizes);
    }

    /// <summary>For what needs the size of everything but the batch.</summary>
    /// <exception cref="DovetailException">An input leaves a dimension open.</exception>
    public static void CheckNoneIsOpen(OnnxModel model, string source)
    {
        GraphSlicer.NameOpenDimensions(model);
        List<DimensionProto> open = [.. Shapes(model).SelectMany(shape => shape.Skip(1)).Where(dim => dim.Value is null)];
        if (open.Count == 0)
            return;
        string[] names = [.. open.Select(dim => dim.Symbol).OfType<string>().Where(name => name.Length > 0).Distinct()];
        throw new DovetailException(
            $"'{source}' leaves {string.Join(", ", names)} of its inputs open; say the size, "
            + $"e.g. {string.Join(' ', names.Select(name => $"{Name} {name}=128"))}.");
    }

    private static IEnumerable<List<DimensionProto>> Shapes(OnnxModel model) =>
        model.Inputs.Select(input => input.Type?.Tensor?.Shape?.Dims).OfType<List<DimensionProto>>();

    private static Dictionary<string, long> Parse(ArgumentResult result)
    {
        var sizes = new Dictionary<string, long>();
        foreach (string text in result.Tokens.Select(token => token.Value))
        {
            int at = text.LastIndexOf('=');
            if (at < 1 || !int.TryParse(text[(at + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out int size) || size < 1)
                result.AddError($"{Name} is '{text}', expected NAME=N with a size of 1 or more, e.g. T=128.");
            else if (!sizes.TryAdd(text[..at], size))
                result.AddError($"{Name} names {text[..at]} twice, expected one size for it.");
        }

        return sizes;
    }
}
