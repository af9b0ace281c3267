using System.Diagnostics;
using System.Text;
using Dovetail.Core.Safetensors;
using Dovetail.Fuzz;

namespace Dovetail.Core.Tests.Safetensors;

public sealed class FuzzTests
{
    /// <summary>At most three seconds of mutated files: typed exceptions only, bounded allocation, no hang, nothing changed.</summary>
    [Fact]
    public void MutatedFiles_AreReadOrRefused()
    {
        var run = new FuzzRun(new SafetensorsTarget(), seed: 20261123);
        long start = Stopwatch.GetTimestamp();
        FuzzResult result = run.Run(0, 100_000, _ => Stopwatch.GetElapsedTime(start).TotalSeconds < 3);
        Assert.True(
            result.Findings.Count == 0, string.Join('\n', result.Findings.Select(finding => $"input {finding.Index}: {finding.What}")));
        Assert.True(result.Accepted > 0 && result.Refused > 0, $"{result.Accepted} read, {result.Refused} refused: the mutations are too "
            + "weak or too strong");
    }

    [Fact]
    public void EverySeed_IsValid()
    {
        var target = new SafetensorsTarget();
        foreach (byte[] input in target.Corpus)
        {
            try
            {
                target.Read(input);
            }
            catch (SafetensorsException error) // the hand-written ones hold no packed weights
            {
                Assert.Equal("The metadata has no 'format'. This is a safetensors file, but not one of packed weights.", error.Message);
            }
        }
    }

    [Fact]
    public void Inputs_DependOnSeedAndIndexAlone() =>
        Assert.Equal(new FuzzRun(new SafetensorsTarget(), 3).Make(77), new FuzzRun(new SafetensorsTarget(), 3).Make(77));

    /// <summary>The fuzzer itself finds what it looks for.</summary>
    [Fact]
    public void AFaultyReader_IsFound()
    {
        FuzzResult result = new FuzzRun(new FaultyTarget(), 1).Run(0, 2000, _ => true, maximumFindings: 1000);
        Assert.Contains(result.Findings, finding => finding.What.StartsWith("System.IndexOutOfRangeException", StringComparison.Ordinal));
        Assert.Contains(result.Findings, finding => finding.What.Contains("bytes allocated", StringComparison.Ordinal));
        Assert.Contains(result.Findings, finding => finding.What == "the input was changed");
    }

    private sealed class FaultyTarget : FuzzTarget
    {
        private byte[] _kept = [];

        public override string Name => _kept.Length > 0 ? "faulty" : "faulty, unused";

        public override IReadOnlyList<byte[]> Corpus => [Encoding.ASCII.GetBytes("length 12 data 0123456789ab")];

        public override IReadOnlyList<byte[]> Dictionary => [[1]];

        public override long AllocationLimit(int length) => 1000;

        public override void Read(byte[] input)
        {
            switch (input[^1] % 5)
            {
                case 0:
                    throw new DovetailException("refused");
                case 1:
                    _ = input[input.Length];
                    break;
                case 2:
                    _kept = new byte[5000]; // a field, or the compiler leaves it out
                    break;
                case 3:
                    input[0]++;
                    break;
                default:
                    break;
            }
        }
    }
}
