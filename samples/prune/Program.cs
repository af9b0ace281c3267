// Keeps the greatest weights of every cell of a pattern:  prune [MODEL.onnx|zoo:NAME] [PATTERN] [SPARSE.onnx]
// What comes out is standard ONNX with zeros inside, and declares its patterns. Accuracy suffers; 'dovetail train' is what keeps it.
using Dovetail.Core.Patterns;
using Dovetail.Onnx.Model;
using Dovetail.Onnx.Pruning;
using Dovetail.Onnx.Zoo;

string source = args.ElementAtOrDefault(0) ?? "zoo:fashion-cnn", target = args.ElementAtOrDefault(2) ?? "sparse.onnx";
ComplementaryPattern pattern = ComplementaryPattern.Parse(args.ElementAtOrDefault(1) ?? "1:16");
OnnxModel model = source.StartsWith(ZooModels.Prefix, StringComparison.Ordinal)
    ? ZooModels.Create(source, seed: 1)
    : OnnxModel.Load(source);

// A method of your own, which may also change the weights that it keeps, is an IPruner in PruningOptions.
PruningResult result = PruningPass.Prune(model, pattern);
foreach (PrunedLayer layer in result.Layers)
    Console.WriteLine(layer.Mask is { } mask
        ? $"{layer.Name}: {mask.Count(m => m):N0} of {mask.Length:N0} weights hold {layer.CapturedEnergy:P1} of the energy"
        : $"{layer.Name}: stays dense, {layer.Dense!.Words}");
result.Model.Save(target);
Console.WriteLine($"wrote {target}");
