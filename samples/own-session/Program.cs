// ONNX Runtime's own API with a packed model:  own-session [PACKED.onnx]
// AddDovetail is the only line that differs from any other model.
using System.Diagnostics;
using Dovetail.Runtime;
using Microsoft.ML.OnnxRuntime;

string path = args.ElementAtOrDefault(0) ?? "packed.onnx";
using var options = new SessionOptions { IntraOpNumThreads = 2 };
options.AddDovetail();
using var session = new InferenceSession(path, options);

long[] shape = [1, 1, 28, 28];
using OrtValue image = OrtValue.CreateTensorValueFromMemory(new float[28 * 28], shape);
using var run = new RunOptions();
for (int i = 0; i < 3; i++)
{
    var clock = Stopwatch.StartNew();
    using IDisposableReadOnlyCollection<OrtValue> outputs = session.Run(run, session.InputNames, [image], session.OutputNames);
    Console.WriteLine($"run {i}: {outputs[0].GetTensorDataAsSpan<float>().Length} outputs in {clock.Elapsed.TotalMicroseconds:F0} µs");
}
