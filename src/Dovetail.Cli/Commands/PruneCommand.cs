using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using Dovetail.Cli.Codesign;
using Dovetail.Cli.Reports.Results;
using Dovetail.Cli.Terminal;
using Dovetail.Core;
using Dovetail.Core.Patterns;
using Dovetail.Onnx.Layers;
using Dovetail.Onnx.Model;
using Dovetail.Onnx.Passes.Permute;
using Dovetail.Onnx.Pruning;
using Spectre.Console;

namespace Dovetail.Cli.Commands;

/// <summary><c>dovetail prune</c>: projects weights onto patterns by magnitude, without training.</summary>
internal static class PruneCommand
{
    /// <summary>Exchanges that a search without a time limit weighs: what is gained beyond is small (bench/results).</summary>
    private const long SearchEffort = 1_000_000;

    private static readonly string[] DefaultCandidates = ["1:2", "1:4", "1:8", "1:16", "2:32", "4:64", "1:32"];

    public static Command Create()
    {
        var model = new Argument<string>("MODEL") { Description = "ONNX file with float weights, or zoo:NAME." };
        Option<ComplementaryPattern> pattern = CommonOptions.Pattern(
            "One pattern for every layer that it fits, keep:group[xSHARE][/out][@strided], e.g. 1:16 or 2:32.");
        Option<string> file = new("--out", "-o")
        {
            Description = "The sparse ONNX file to write.",
            HelpName = "FILE.onnx",
            DefaultValueFactory = _ => "sparse.onnx",
        };
        Option<bool> head = new("--head") { Description = "Prune the last fully connected layer too, which is small and sensitive." };
        Option<double?> permute = new("--permute")
        {
            Description = "First order channels so that the patterns keep more: orders fold into neighbouring layers, or are stored as "
                + "Gather nodes. "
                + "With SECONDS the search takes no longer; without, it is bounded by effort and reproducible.",
            HelpName = "SECONDS",
            Arity = ArgumentArity.ZeroOrOne,
            CustomParser = ParseSeconds,
        };
        Option<bool> foldOnly = new("--fold-only")
        {
            Description = "With --permute: no Gather nodes, only orders that cost nothing at run time.",
        };
        Option<string?> allocation = new("--allocation")
        {
            Description = "Instead of --pattern, a pattern a layer from --candidates within --budget: uniform (one for all), erk "
                + "(Erdős–Rényi-kernel densities), energy (the greatest sum of captured shares, exactly).",
            HelpName = "uniform|erk|energy",
        };
        allocation.AcceptOnlyFromAmong("uniform", "erk", "energy");
        Option<ComplementaryPattern[]> candidates = new("--candidates")
        {
            Description = $"Patterns to choose from; dense is always one. Default: {string.Join(" ", DefaultCandidates)}.",
            HelpName = "PATTERN…",
            AllowMultipleArgumentsPerToken = true,
            CustomParser = ParsePatterns,
        };
        Option<Budget?> budget = new("--budget")
        {
            Description = "A share of what the dense network costs (8%, 0.08), or so many multiply-accumulates, bytes or microseconds "
                + "(1.5M, 300k).",
            HelpName = "SHARE|NUMBER",
            CustomParser = ParseBudget,
        };
        Option<string> cost = new("--cost")
        {
            Description = "What the budget counts; latency takes --latency.",
            HelpName = "macs|bytes|latency",
            DefaultValueFactory = _ => "macs",
        };
        cost.AcceptOnlyFromAmong("macs", "bytes", "latency");
        Option<string[]> latency = new("--latency")
        {
            Description = "Measured latencies: what 'dovetail bench --json FILE' wrote for packed models, a file for each pattern. Layers "
                + "that were not measured stay dense and are not counted.",
            HelpName = "FILE…",
            AllowMultipleArgumentsPerToken = true,
        };
        Option<int> seed = CommonOptions.Seed();
        seed.Description = "Seed of a zoo model's weights and of the search for orders.";
        Option<string?> json = CommonOptions.Json();
        var command = new Command("prune", "Keep the greatest weights of every cell of a pattern and zero the others, without training "
            + "(accuracy suffers; 'train' is what keeps it).")
        {
            model, pattern, file, head, permute, foldOnly, allocation, candidates, budget, cost, latency, seed, json,
        };
        command.Validators.Add(result =>
        {
            bool Given(Option option) => result.IsGiven(option);
            bool byLatency = Given(cost) && result.GetValue(cost) == "latency";
            if (Given(allocation) && (Given(pattern) || !Given(budget)))
                result.AddError("--allocation chooses among --candidates within --budget: give --budget, and no --pattern.");
            if (!Given(allocation) && (Given(candidates) || Given(budget) || Given(cost) || Given(latency)))
                result.AddError("--candidates, --budget, --cost and --latency belong to --allocation; give it too, e.g. --allocation "
                    + "energy.");
            else if (byLatency != Given(latency))
                result.AddError("--cost latency and --latency FILE go together.");
            if (Given(foldOnly) && !Given(permute))
                result.AddError("--fold-only belongs to --permute; give it too.");
        });
        command.SetAction((parsed, cancellation) => Task.Run(() => // off this thread, so that Ctrl-C can wait for it
        {
            var output = new VerbOutput(parsed.GetValue(json));
            string source = parsed.GetValue(model)!, target = parsed.GetValue(file)!;
            if (Path.GetFullPath(source) == Path.GetFullPath(target))
                throw new DovetailException($"The pruned model would replace its source, '{source}'. Give --out another name.");
            OnnxModel network = ModelSource.Load(source, parsed.GetValue(seed));
            CostUnit unit = Enum.Parse<CostUnit>(parsed.GetValue(cost)!, ignoreCase: true);
            AllocationOptions? shared = parsed.GetValue(allocation) is not { } method ? null : new AllocationOptions(
                Method(method),
                parsed.GetValue(candidates) is { Length: > 0 } given ? given : [.. DefaultCandidates.Select(ComplementaryPattern.Parse)],
                unit, parsed.GetValue(budget)!, unit == CostUnit.Latency ? LatencyTable.Load(parsed.GetValue(latency)!) : null);
            TimeSpan? limit = parsed.GetValue(permute) is { } seconds ? TimeSpan.FromSeconds(seconds) : null;
            var options = new PruningOptions
            {
                Head = parsed.GetValue(head),
                Permutation = parsed.GetResult(permute) is null ? null : new PermutationPassOptions
                {
                    TimeLimit = limit,
                    MaxEvaluations = limit is null ? SearchEffort : long.MaxValue,
                    AllowStored = !parsed.GetValue(foldOnly),
                    Seed = parsed.GetValue(seed),
                },
            };
            PruningResult result = ProgressLine.RunShare(
                output.Human, options.Permutation is null ? "Pruning" : "Ordering channels", progress => shared is null
                    ? PruningPass.Prune(network, parsed.GetValue(pattern)!, options, progress, cancellation)
                    : PruningPass.Prune(network, shared, options, progress, cancellation));
            result.Model.Save(target);
            Print(output.Human, result, target, unit);
            output.WriteJson(Json(result, target, parsed.GetValue(cost)!));
            return 0;
        }, CancellationToken.None));
        return command;
    }

    private static AllocationMethod Method(string text) => text switch
    {
        "uniform" => AllocationMethod.Uniform,
        "erk" => AllocationMethod.ErdosRenyiKernel,
        _ => AllocationMethod.CapturedEnergy,
    };

    private static void Print(IAnsiConsole console, PruningResult result, string target, CostUnit unit)
    {
        bool ordered = result.Layers.Any(layer => layer.Order is not null);
        Table table = new Table().AddColumns("Layer", "Shape", "Pattern").AddColumn(new TableColumn("Captured energy").RightAligned());
        if (ordered)
            table.AddColumn(new TableColumn("As it stood").RightAligned()).AddColumn("Order");
        table.AddColumn("Remark");
        foreach (PrunedLayer layer in result.Layers)
        {
            bool sparse = layer.Pattern is not null;
            List<string> cells = [Markup.Escape(layer.Name), layer.Shape.ToString(), layer.Pattern?.ToString()
                ?? "dense", sparse ? $"{layer.CapturedEnergy:0.0%}" : "–"];
            if (ordered)
                cells.AddRange(sparse ? [$"{layer.Order!.CapturedBefore:0.0%}", Markup.Escape(Describe(layer.Order))] : ["–", ""]);
            table.AddRow([.. cells, Markup.Escape(Remark(layer))]);
        }

        console.Write(table);
        if (result.Allocation is { Result: var found } allocation)
            console.WriteLine(
                $"{Amount(found.Cost, unit)} of a budget of {Amount(allocation.Budget, unit)}, "
                + $"{(double)found.Cost / Math.Max(1, allocation.DenseCost):0.0%} of the dense network's. Sum of captured shares "
                + $"{found.Score:0.000}{(found.IsOptimal ? ", the greatest there is" : $"; none exceeds {found.UpperBound:0.000}")}.");
        console.WriteLine(
            $"Wrote {target}: {result.Layers.Count(layer => layer.Pattern is not null)} of {result.Layers.Count} layers pruned, "
            + $"{result.Sparsity:0.0%} of the weights of all layers zero. Captured energy is the share of Σw² that was kept.");
    }

    private static string Remark(PrunedLayer layer) =>
        layer.Pattern is null ? "dense: " + Describe(layer.Dense) : PatternFit.TailNote(layer.Shape, layer.Pattern) ?? "";

    private static string Describe(DenseReason? reason) =>
        reason is { Cause: DenseCause.Head } ? $"{reason.Words} (--head prunes it too)" : reason?.Words ?? "";

    private static string Describe(PermutedLayer order) => order.Outcome switch
    {
        PermutationOutcome.Folded => "folded" + (order.TiedLayers.Count > 0 ? $", with {string.Join(", ", order.TiedLayers)}" : ""),
        PermutationOutcome.Stored => "stored: " + order.Reason,
        _ => "unchanged: " + order.Reason,
    };

    private static string Amount(long cost, CostUnit unit) => unit switch
    {
        CostUnit.Latency => $"{cost / 1e3:N1} µs",
        CostUnit.Bytes => $"{cost:N0} bytes",
        _ => $"{cost:N0} multiply-accumulates",
    };

    private static PruneJson Json(PruningResult result, string target, string cost) => new(
        target, result.Sparsity,
        [.. result.Layers.Where(layer => layer.Pattern is not null).Select(layer => new PrunedLayerJson(
            layer.Name, layer.Shape.ToString(), layer.Pattern!.ToString(), layer.CapturedEnergy,
            layer.Order is { } order ? Json(order) : null, PatternFit.TailNote(layer.Shape, layer.Pattern)))],
        [.. result.Layers.Where(layer => layer.Pattern is null).Select(layer => new DenseLayerJson(layer.Name, Describe(layer.Dense)))],
        result.Allocation is { } allocation ? Json(allocation, cost) : null);

    private static ChannelOrderJson Json(PermutedLayer order) => new(
        order.Outcome.ToString().ToLowerInvariant(), order.CapturedBefore, order.Reason, order.SearchSeconds, order.TiedLayers);

    private static AllocationJson Json(LayerAllocation allocation, string cost) => new(
        allocation.Method.ToString(), cost == "latency" ? "nanoseconds" : cost, allocation.Budget, allocation.Result.Cost,
        allocation.DenseCost,
        allocation.Result.Score, allocation.Result.UpperBound, allocation.Result.IsOptimal);

    private static double? ParseSeconds(ArgumentResult result)
    {
        if (result.Tokens.Count == 0)
            return null;
        string text = result.Tokens[0].Value;
        if (double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double seconds)
            && seconds is > 0 and <= 1e6)
            return seconds;
        result.AddError($"--permute is '{text}', expected seconds above 0, or nothing (then name the model before it).");
        return null;
    }

    private static Budget? ParseBudget(ArgumentResult result)
    {
        string text = result.Tokens.Single().Value;
        if (Budget.Parse(text) is { } budget)
            return budget;
        result.AddError($"--budget is '{text}', expected a share up to 100% of the dense network (8%, 0.08), or a number above 1 (1.5M, "
            + "300k, 420).");
        return null;
    }

    private static ComplementaryPattern[]? ParsePatterns(ArgumentResult result)
    {
        try
        {
            return [.. result.Tokens.SelectMany(token => token.Value.Split(',', StringSplitOptions.RemoveEmptyEntries))
                .Select(ComplementaryPattern.Parse).Distinct()];
        }
        catch (PatternException error)
        {
            result.AddError(error.Message);
            return null;
        }
    }
}
