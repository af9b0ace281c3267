// Benchmarks of Dovetail.Core on one thread:  Dovetail.Benchmarks [projection|decoding|permutation:MODEL.onnx] …
// (projection and decoding by default)
//   Dovetail.Benchmarks cost-model LIST.csv … [--pattern 1:16] … compares predicted layer times with measured ones (CostModelBenchmark.cs).
//   Dovetail.Benchmarks kernels LIST.csv … [--pattern 1:16] … compares the kernels of the registry with each other (KernelBenchmark.cs).
//   Dovetail.Benchmarks soak [--minutes 30] [--threads 2] runs packed networks for long and looks for leaks (Soak.cs).
// Every figure stands beside its peer, measured in the same run. Results are committed under bench/results/<cpu>/.
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Dovetail.Benchmarks;

if (args is ["soak", .. string[] options])
    return Soak.Run(options, Console.Out);
if (args is ["kernels", .. string[] kernelLists])
    return KernelBenchmark.Run(kernelLists, Console.Out);
if (args is ["cost-model", .. string[] lists])
    return CostModelBenchmark.Run(lists, Console.Out);
var benchmarks = new Dictionary<string, Action<TextWriter>>
{
    ["projection"] = ProjectionBenchmark.Run,
    ["decoding"] = DecodingBenchmark.Run,
};
string[] defaults = [.. benchmarks.Keys];
const string Permutation = "permutation:";
foreach (string name in args.Where(name => name.StartsWith(Permutation, StringComparison.Ordinal)))
    benchmarks[name] = output => PermutationBenchmark.Run(output, name[Permutation.Length..]);
string[] unknown = [.. args.Except(benchmarks.Keys)];
if (unknown.Length > 0)
{
    Console.Error.WriteLine($"There is no benchmark '{unknown[0]}', expected: {string.Join(", ", defaults)}, {Permutation}MODEL.onnx.");
    return 2;
}

Console.WriteLine($"command: dotnet run -c Release --project bench/Dovetail.Benchmarks -- {string.Join(' ', args)}".TrimEnd(' ', '-'));
Console.WriteLine($".NET {Environment.Version}, {RuntimeInformation.RuntimeIdentifier}, 512-bit vectors "
    + $"{(Vector512.IsHardwareAccelerated ? "yes" : "no")}, 1 thread");
foreach (string name in args.Length > 0 ? args : defaults)
{
    Console.WriteLine();
    benchmarks[name](Console.Out);
}

return 0;
