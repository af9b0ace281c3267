// Runs a packed model:  run [PACKED.onnx]
// A DovetailSession is an ONNX Runtime session that knows the packed operators.
using Dovetail.Runtime;

string path = args.ElementAtOrDefault(0) ?? "packed.onnx";
using DovetailSession session = DovetailSession.Create(path, new DovetailSessionOptions(Threads: 1));

var random = new Random(1);
float[] images = [.. Enumerable.Range(0, 2 * 28 * 28).Select(_ => random.NextSingle())];
float[] logits = session.Run(images, 2, 1, 28, 28); // a batch of two
for (int image = 0; image < 2; image++)
{
    float[] row = logits[(image * 10)..((image + 1) * 10)];
    Console.WriteLine($"image {image}: class {Array.IndexOf(row, row.Max())}, logits "
        + $"{string.Join(" ", row.Select(x => x.ToString("F3", null)))}");
}
