using System.CommandLine;
using Dovetail.Cli.Codesign;
using Dovetail.Core.Patterns;
using Dovetail.Onnx.Model;
using Dovetail.Onnx.Rewriting;
using Dovetail.Onnx.Rewriting.Packing;
using Spectre.Console;

namespace Dovetail.Cli.Commands;

/// <summary><c>dovetail prune</c>: projects weights onto a pattern by magnitude, without training.</summary>
internal static class PruneCommand
{
    public static Command Create()
    {
        var model = new Argument<string>("model") { Description = "ONNX file with float weights, or zoo:NAME." };
        Option<ComplementaryPattern> pattern = CommonOptions.Pattern();
        Option<string> file = new("--out") { Description = "The sparse ONNX file to write.", HelpName = "FILE.onnx", DefaultValueFactory = _ => "sparse.onnx" };
        Option<bool> head = new("--head") { Description = "Prune the last fully connected layer too, which is small and sensitive." };
        Option<int> seed = CommonOptions.Seed();
        Option<string?> json = CommonOptions.Json();
        var command = new Command("prune", "Keep the greatest weights of every cell of a pattern and zero the others, without training (accuracy suffers; 'train' is what keeps it).")
        {
            model, pattern, file, head, seed, json,
        };
        command.SetAction(parsed =>
        {
            var output = new VerbOutput(parsed.GetValue(json));
            OnnxModel network = ModelSource.Load(parsed.GetValue(model)!, parsed.GetValue(seed));
            ComplementaryPattern chosen = parsed.GetValue(pattern)!;
            IReadOnlyList<WeightLayer> fitting = WeightLayers.FindFitting(network, chosen);
            WeightLayer last = WeightLayers.Find(network)[^1]; // the head, as training sees it
            Table table = new Table().AddColumns("Layer", "Shape", "Captured energy");
            var rows = new List<object>();
            foreach (WeightLayer layer in fitting)
            {
                if (!parsed.GetValue(head) && fitting.Count > 1 && last.Op != "Conv" && layer.Name == last.Name)
                    continue;
                double captured = Prune(layer, chosen);
                table.AddRow(Markup.Escape(layer.Name), layer.Shape.ToString(), $"{captured:0.0%}");
                rows.Add(new { layer.Name, shape = layer.Shape.ToString(), pattern = chosen.ToString(), captured_energy = captured });
            }

            network.SetMetadata(PackingPass.PatternMetadata, chosen.ToString());
            network.Save(parsed.GetValue(file)!);
            output.Human.Write(table);
            output.Human.WriteLine($"Wrote {parsed.GetValue(file)}: {rows.Count} layers at {chosen.Sparsity:0.##%} zeros. Captured energy is the share of Σw² that was kept.");
            output.WriteJson(new { file = parsed.GetValue(file), layers = rows });
            return 0;
        });
        return command;
    }

    /// <summary>Zeroes what the pattern does not keep; returns the share of Σw² that stays.</summary>
    internal static double Prune(WeightLayer layer, ComplementaryPattern pattern)
    {
        float[] weights = layer.GetWeights();
        bool[] mask = Projection.Project(Array.ConvertAll(weights, MathF.Abs), new CellLayout(pattern, layer.Shape));
        double all = 0, kept = 0;
        for (int i = 0; i < weights.Length; i++)
        {
            double energy = (double)weights[i] * weights[i];
            all += energy;
            if (mask[i])
                kept += energy;
            else
                weights[i] = 0;
        }

        layer.SetWeights(weights);
        return all == 0 ? 1 : kept / all;
    }
}
