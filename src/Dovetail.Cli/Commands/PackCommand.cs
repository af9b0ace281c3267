using System.CommandLine;
using Dovetail.Core;
using Dovetail.Core.Packing;
using Dovetail.Core.Patterns;
using Dovetail.Onnx.Model;
using Dovetail.Onnx.Rewriting.Packing;
using Spectre.Console;

namespace Dovetail.Cli.Commands;

/// <summary><c>dovetail pack</c>: sparse ONNX to packed ONNX.</summary>
internal static class PackCommand
{
    public static Command Create()
    {
        var model = new Argument<string>("model") { Description = "Sparse ONNX file (fp32, or int8 in QDQ form)." };
        Option<ComplementaryPattern> pattern = CommonOptions.Pattern("The pattern that the weights satisfy. Where it is left out, those that the model declares for its layers count.");
        Option<string> file = new("--out") { Description = "The packed ONNX file to write.", HelpName = "FILE.onnx", DefaultValueFactory = _ => "packed.onnx" };
        Option<string> values = new("--values") { Description = "Type of floating-point weights in the file: fp16 and bf16 halve them, products stay fp32.", DefaultValueFactory = _ => "fp32" };
        values.AcceptOnlyFromAmong("fp32", "fp16", "bf16");
        Option<string> operands = new("--operands") { Description = "What floating-point layers multiply. bf16 rounds inputs and weights: twice as fast where the CPU has AVX512_BF16, and less precise: check the accuracy with 'dovetail run'.", DefaultValueFactory = _ => "fp32" };
        operands.AcceptOnlyFromAmong("fp32", "bf16");
        Option<string?> safetensors = new("--safetensors") { Description = "Also write the packed weights alone.", HelpName = "FILE" };
        Option<string?> json = CommonOptions.Json();
        var command = new Command("pack", "Pack the layers of a sparse ONNX model that satisfy a pattern; the others stay dense, and the table says why.")
        {
            model, pattern, values, operands, file, safetensors, json,
        };
        command.SetAction(parsed =>
        {
            var output = new VerbOutput(parsed.GetValue(json));
            string source = parsed.GetValue(model)!, target = parsed.GetValue(file)!;
            if (Path.GetFullPath(source) == Path.GetFullPath(target))
                throw new DovetailException($"The packed model would replace its source, '{source}'. Give --out another name.");
            long before = new FileInfo(source).Exists ? new FileInfo(source).Length : 0;
            OnnxModel sparse = OnnxModel.Load(source);
            bool declared = parsed.GetResult(pattern) is not { Implicit: false } && LayerPatterns.Find(sparse) is not null;
            var options = new PackingOptions
            {
                ValueType = parsed.GetValue(values) switch { "fp16" => DType.Float16, "bf16" => DType.BFloat16, _ => DType.Float32 },
                BFloat16Operands = parsed.GetValue(operands) == "bf16",
            };
            PackingResult result = declared ? PackingPass.PackDeclared(sparse, options) : PackingPass.Pack(sparse, parsed.GetValue(pattern)!, options);
            result.Model.Save(target);
            if (parsed.GetValue(safetensors) is { } weights)
                SafetensorsExport.Write(result.Model, weights);
            Table table = new Table().AddColumns("Layer", "Pattern", "Dense bytes", "Packed bytes", "Stays dense because");
            foreach (PackedLayerReport layer in result.Layers)
                table.AddRow(
                    Markup.Escape(layer.Name), layer.Pattern?.ToString() ?? "dense", $"{layer.DenseBytes:N0}", $"{layer.PackedBytes:N0}",
                    Markup.Escape(layer.DenseReason ?? ""));
            output.Human.Write(table);
            long after = new FileInfo(target).Length;
            output.Human.WriteLine($"{source}: {before:N0} bytes; {target}: {after:N0} bytes, {(double)before / after:0.0} times smaller.");
            output.WriteJson(new
            {
                file = target,
                bytes = new { dense = before, packed = after },
                layers = result.Layers.Select(layer => new
                {
                    layer.Name,
                    pattern = layer.Pattern?.ToString(),
                    dense_reason = layer.DenseReason,
                    layer.DenseBytes,
                    layer.PackedBytes,
                }),
            });
            return 0;
        });
        return command;
    }
}
