// Packs a sparse model:  pack [SPARSE.onnx] [PATTERN] [PACKED.onnx]
// Layers whose weights satisfy the pattern become operators of ai.dovetail, the others stay as they are.
using Dovetail.Core.Patterns;
using Dovetail.Onnx.Model;
using Dovetail.Onnx.Passes.Pack;

string source = args.ElementAtOrDefault(0) ?? "sparse.onnx", target = args.ElementAtOrDefault(2) ?? "packed.onnx";
ComplementaryPattern pattern = ComplementaryPattern.Parse(args.ElementAtOrDefault(1) ?? "1:16");

PackingResult result = PackingPass.Pack(OnnxModel.Load(source), pattern);
foreach (LayerPlan layer in result.Layers)
    Console.WriteLine(layer.DenseReason is { } reason
        ? $"{layer.Name}: dense, {reason}"
        : $"{layer.Name}: {layer.Pattern}, {layer.DenseBytes:N0} → {layer.PackedBytes:N0} bytes");

result.Model.Save(target);
SafetensorsExport.Write(result.Model, Path.ChangeExtension(target, ".safetensors")); // the weights alone, for other tools
Console.WriteLine($"{new FileInfo(source).Length:N0} → {new FileInfo(target).Length:N0} bytes in {target}");
