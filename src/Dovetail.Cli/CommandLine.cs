using System.CommandLine;
using System.CommandLine.Parsing;
using Dovetail.Cli.Commands;
using Dovetail.Cli.Commands.Bench;
using Dovetail.Cli.Commands.Doctor;
using Dovetail.Cli.Commands.Quantize;
using Dovetail.Cli.Commands.Run;
using Dovetail.Cli.Terminal;
using Dovetail.Core;

namespace Dovetail.Cli;

/// <summary>The verbs, and what an error looks like: one line on standard error, exit code ≠ 0.</summary>
public static class CommandLine
{
    public const int Failed = 1;
    public const int Usage = 2;
    public const int Interrupted = 130;

    private const string TraceVariable = "DOVETAIL_TRACE";

    /// <summary>Time that a verb has to save its work after Ctrl-C.</summary>
    private static readonly TimeSpan GracePeriod = TimeSpan.FromSeconds(60);

    public static async Task<int> RunAsync(string[] args)
    {
        ParseResult parsed = Root().Parse(args.Length == 0 ? ["--help"] : args);
        if (parsed.Errors.Count > 0)
        {
            Report($"{Words(parsed)} See 'dovetail {Path(parsed)}--help'.");
            return Usage;
        }

        if (parsed.CommandResult.Children.FirstOrDefault(given => given.Tokens.Any(token => string.IsNullOrWhiteSpace(token.Value))) is
            {
            } empty)
        {
            Report($"{(empty is OptionResult option ? option.Option.Name : "An argument")} is empty, expected a value. See 'dovetail "
                + $"{Path(parsed)}--help'.");
            return Usage;
        }

        using var hangUp = new HangUp();
        try
        {
            return await parsed.InvokeAsync(
                new InvocationConfiguration
                {
                    EnableDefaultExceptionHandler = false,
                    ProcessTerminationTimeout = GracePeriod,
                }, hangUp.Token);
        }
        catch (OperationCanceledException error)
        {
            Report(error is InterruptedException ? error.Message : "Interrupted.");
            return Interrupted;
        }
        catch (DovetailException error)
        {
            Report(error.Message);
            return Failed;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            Report($"{error.Message.TrimEnd('.')}. Check that the folder exists, may be written and has room, then run the command again.");
            return Failed;
        }
        catch (OutOfMemoryException)
        {
            Report("The memory of this machine does not suffice for what was asked. Close other programs, or take a smaller model or "
                + "batch.");
            return Failed;
        }
        catch (Exception error) // the last resort: one line, and a trace on demand
        {
            return Crash(error);
        }
    }

    private static int Crash(Exception error)
    {
        Report($"This is a bug in Dovetail: {error.GetType().Name}: {error.Message.ReplaceLineEndings(" ")} Set {TraceVariable}=1 for the "
            + "trace, and please file it.");
        if (Environment.GetEnvironmentVariable(TraceVariable) == "1")
            Console.Error.WriteLine(error);
        return Failed;
    }

    public static RootCommand Root() =>
        new("Complementary sparsity from training to silicon: train, pack, run, simulate and emit sparse networks.")
    {
        CodesignCommand.Create(),
        TrainCommand.Create(),
        PruneCommand.Create(),
        QuantizeCommand.Create(),
        PackCommand.Create(),
        RunCommand.Create(),
        BenchCommand.Create(),
        SimulateCommand.Create(),
        RtlCommand.Create(),
        DataCommand.Create(),
        ZooCommand.Create(),
        ExpressivenessCommand.Create(),
        InspectCommand.Create(),
        VerifyCommand.Create(),
        DoctorCommand.Create(),
        MemoryCommand.Create(),
    };

    /// <summary>The parser's messages on one line; a group of verbs without one of them says which there are.</summary>
    private static string Words(ParseResult parsed)
    {
        Command command = parsed.CommandResult.Command;
        if (command.Subcommands.Count == 0)
            return string.Join(" ", parsed.Errors.Select(Words));
        string verbs = string.Join(", ", command.Subcommands.Where(verb => !verb.Hidden).Select(verb => verb.Name));
        return parsed.UnmatchedTokens is [string unknown, ..]
            ? $"'{command.Name}' has no command '{unknown}', expected one of: {verbs}."
            : $"'{command.Name}' takes a command, one of: {verbs}.";
    }

    private static string Words(ParseError error)
    {
        string[] lines = error.Message.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        return lines.Length == 1 ? lines[0] : $"{lines[0]} {string.Join(", ", lines[1..])}.";
    }

    private static string Path(ParseResult parsed)
    {
        string path = "";
        for (SymbolResult? at = parsed.CommandResult; at is CommandResult { Command: not RootCommand } command; at = at.Parent)
            path = $"{command.Command.Name} {path}";
        return path;
    }

    private static void Report(string message) => Console.Error.WriteLine($"dovetail: {OnOneLine(message)}");

    /// <summary>ONNX Runtime's messages, and others that are quoted, may have several.</summary>
    /// <remarks>Names come from files: what a terminal would obey is shown as a question mark.</remarks>
    private static string OnOneLine(string message) => new([..
        string.Join(' ', message.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
            .Select(character => char.IsControl(character) ? '?' : character)]);
}
