using System.CommandLine;
using System.CommandLine.Parsing;
using Dovetail.Cli.Codesign;
using Dovetail.Core.Patterns;

namespace Dovetail.Cli.Commands;

/// <summary>Options that several verbs share, so that they read the same everywhere.</summary>
internal static class CommonOptions
{
    /// <summary>More only wait for each other: with hundreds a measurement of seconds takes an hour.</summary>
    private const int MostThreadsPerProcessor = 4;

    public static Option<string?> Json() => new("--json")
    {
        Description = "Write the result as JSON to FILE; '-' is standard output, and then nothing else goes there.",
        HelpName = "FILE",
    };

    public static Option<string> Data() => new("--data")
    {
        Description = "Data set: fashion-mnist (installed, cached or the embedded sample), or a folder with the four IDX files of one "
            + "like it.",
        HelpName = "NAME|DIR",
        DefaultValueFactory = _ => "fashion-mnist",
    };

    public static Option<ComplementaryPattern> Pattern(
        string description = "Complementary pattern, keep:group[xSHARE][/out][@strided], e.g. 1:16 or 2:32.") => new("--pattern")
        {
            Description = description,
            HelpName = "PATTERN",
            DefaultValueFactory = _ => new ComplementaryPattern(1, 16),
            CustomParser = Pattern,
        };

    public static Option<string> Model() => new("--model")
    {
        Description = "zoo:NAME (see 'dovetail zoo list') or an ONNX file; its weights are where training starts.",
        HelpName = "zoo:NAME|FILE.onnx",
        DefaultValueFactory = _ => "zoo:fashion-cnn",
    };

    /// <param name="methods">Those of <see cref="TrainingMethods"/> that the verb takes.</param>
    public static Option<string> Method(string[] methods)
    {
        var option = new Option<string>("--method")
        {
            Description = "How owners come about: growing (the density falls during training), srste, static (random owners)" + (
                methods.Contains("dense") ? ", dense." : "."),
            DefaultValueFactory = _ => "growing",
        };
        return option.AcceptOnlyFromAmong(methods);
    }

    public static Option<int?> Epochs()
    {
        var option = new Option<int?>("--epochs")
        {
            Description = "Passes over the training images. Default: by the size of the data.",
            HelpName = "N",
        };
        option.Validators.Add(result =>
        {
            if (result.Tokens.Count == 1 && int.TryParse(result.Tokens[0].Value, out int value) && value < 1)
                result.AddError($"--epochs is {value}, expected 1 or more.");
        });
        return option;
    }

    public static Option<int> Seed() => new("--seed")
    {
        Description = "Seed of the initial weights, the order of the images and everything else that is random.",
        HelpName = "SEED",
        DefaultValueFactory = _ => 1,
    };

    public static Option<int> Threads(int defaultValue, string what)
    {
        Option<int> option = Positive("--threads", $"Threads for {what}.", defaultValue);
        int most = MostThreadsPerProcessor * Environment.ProcessorCount;
        option.Validators.Add(result =>
        {
            if (result.Tokens.Count == 1 && int.TryParse(result.Tokens[0].Value, out int value) && value > most)
                result.AddError($"--threads is {value}, expected {most} or fewer: this machine runs {Environment.ProcessorCount} at once.");
        });
        return option;
    }

    /// <summary>An option whose value is a whole number ≥ 1.</summary>
    public static Option<int> Positive(string name, string description, int defaultValue, params string[] aliases)
    {
        var option = new Option<int>(name, aliases) { Description = description, HelpName = "N", DefaultValueFactory = _ => defaultValue };
        option.Validators.Add(result =>
        {
            if (result.Tokens.Count == 1 && int.TryParse(result.Tokens[0].Value, out int value) && value < 1)
                result.AddError($"{name} is {value}, expected 1 or more.");
        });
        return option;
    }

    /// <summary>True where the command line holds the option, whatever its value.</summary>
    public static bool IsGiven(this SymbolResult result, Option option) => result.GetResult(option) is { Implicit: false };

    /// <summary>Parses a pattern; what is wrong becomes the error of the option.</summary>
    public static ComplementaryPattern? Pattern(ArgumentResult result)
    {
        try
        {
            return ComplementaryPattern.Parse(result.Tokens.Single().Value);
        }
        catch (PatternException error)
        {
            result.AddError(error.Message);
            return null;
        }
    }

    /// <summary>As <see cref="Pattern(ArgumentResult)"/> for an option that may be repeated.</summary>
    public static ComplementaryPattern[]? Patterns(ArgumentResult result)
    {
        try
        {
            return [.. result.Tokens.Select(token => ComplementaryPattern.Parse(token.Value)).Distinct()];
        }
        catch (PatternException error)
        {
            result.AddError(error.Message);
            return null;
        }
    }
}
