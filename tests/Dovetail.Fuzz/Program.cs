// Fuzzes a reader at length: Dovetail.Fuzz safetensors|onnx|input|shapes|topology|energy|latency|liberty COUNT [SEED] [FOLDER-FOR-FINDINGS]
// Exit code 0: nothing found; 1: findings, written to the folder; 2: wrong arguments; 3: an input hangs.
using System.Diagnostics;
using System.Globalization;
using Dovetail.Fuzz;

FuzzTarget? target = args.ElementAtOrDefault(0) switch
{
    "safetensors" => new SafetensorsTarget(),
    "onnx" => new OnnxTarget(),
    "input" => new InputTarget(),
    "shapes" => new ShapesTarget(),
    "topology" => new TopologyTarget(),
    "energy" => new EnergyTarget(),
    "latency" => new LatencyTarget(),
    "liberty" => new LibertyTarget(),
    _ => null,
};
if (target is null || !long.TryParse(args.ElementAtOrDefault(1), NumberStyles.None, CultureInfo.InvariantCulture, out long count)
    || !int.TryParse(args.ElementAtOrDefault(2) ?? "1", NumberStyles.None, CultureInfo.InvariantCulture, out int seed))
{
    Console.Error.WriteLine("usage: Dovetail.Fuzz safetensors|onnx|input|shapes|topology|energy|latency|liberty COUNT [SEED] "
        + "[FOLDER-FOR-FINDINGS]");
    return 2;
}

string folder = args.ElementAtOrDefault(3) ?? "artifacts/fuzz";
var run = new FuzzRun(target, seed);
using var watchdog = new Timer(_ =>
{
    if (run.Current is { } current && Stopwatch.GetElapsedTime(current.StartTimestamp).TotalSeconds > 60)
    {
        Save(current.Index, current.Input);
        Console.WriteLine($"input {current.Index} hangs");
        Environment.Exit(3);
    }
}, null, TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(5));

var clock = Stopwatch.StartNew();
FuzzResult result = run.Run(0, count, index =>
{
    if (index > 0 && index % 200_000 == 0)
        Console.WriteLine($"{index} inputs, {clock.Elapsed.TotalSeconds:F0} s");
    return true;
});
foreach (Finding finding in result.Findings)
    Console.WriteLine($"finding: input {finding.Index}: {finding.What} -> {Save(finding.Index, finding.Input)}");
Console.WriteLine(
    $"{target.Name}, seed {seed}: {result.Inputs} inputs in {clock.Elapsed.TotalSeconds:F0} s, {result.Accepted} read, {result.Refused} "
    + "refused with a typed exception, " +
    $"{result.Findings.Count} findings; longest {result.LongestMilliseconds:F1} ms, largest allocation "
    + $"{100 * result.LargestAllocationRatio:F0} % of its limit");
return result.Findings.Count == 0 ? 0 : 1;

string Save(long index, byte[] input)
{
    Directory.CreateDirectory(folder);
    string path = Path.Combine(folder, $"{target.Name}-{seed}-{index}.bin");
    File.WriteAllBytes(path, input);
    return path;
}
