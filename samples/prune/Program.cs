// Keeps the greatest weights of every cell of a pattern:  prune [MODEL.onnx|zoo:NAME] [PATTERN] [SPARSE.onnx]
// What comes out is standard ONNX with zeros inside. Accuracy suffers; 'dovetail train' is what keeps it.
using Dovetail.Core.Patterns;
using Dovetail.Onnx.Layers;
using Dovetail.Onnx.Model;
using Dovetail.Onnx.Zoo;

string source = args.ElementAtOrDefault(0) ?? "zoo:fashion-cnn", target = args.ElementAtOrDefault(2) ?? "sparse.onnx";
ComplementaryPattern pattern = ComplementaryPattern.Parse(args.ElementAtOrDefault(1) ?? "1:16");
OnnxModel model = source.StartsWith(ZooModels.Prefix, StringComparison.Ordinal) ? ZooModels.Create(source, seed: 1) : OnnxModel.Load(source);

foreach (WeightLayer layer in WeightLayers.Find(model))
{
    if (layer.ReasonAgainst(pattern) is { } reason)
    {
        Console.WriteLine($"{layer.Name}: stays dense, {reason}");
        continue;
    }

    // The projection keeps what keeps most of the scores' sum, exactly; here a score is a magnitude.
    float[] weights = layer.GetWeights(), scores = Array.ConvertAll(weights, MathF.Abs);
    bool[] mask = Projection.Project(scores, new CellLayout(pattern, layer.Shape));
    double all = weights.Sum(w => (double)w * w), kept = 0;
    for (int i = 0; i < weights.Length; i++)
    {
        weights[i] = mask[i] ? weights[i] : 0;
        kept += (double)weights[i] * weights[i];
    }

    layer.SetWeights(weights);
    Console.WriteLine($"{layer.Name}: {mask.Count(m => m):N0} of {mask.Length:N0} weights hold {kept / all:P1} of the energy");
}

model.Save(target);
Console.WriteLine($"wrote {target}");
