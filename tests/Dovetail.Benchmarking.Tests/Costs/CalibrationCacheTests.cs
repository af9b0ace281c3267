using Dovetail.Benchmarking.Costs;
using Dovetail.Core.Packing;

namespace Dovetail.Benchmarking.Tests.Costs;

/// <summary>A cache saves time, and never more: what is wrong with it costs a measurement and a note.</summary>
public sealed class CalibrationCacheTests : IDisposable
{
    private static readonly CalibrationKey s_key = new("cpu; versions", "Conv", "1:16", DType.Float32, 1, "select");
    private static readonly CostCalibration s_calibration = new(
        s_key, new SideCost(1, 20, 10, 5, 6), new SideCost(2, 25, 20, 10.5, 7), new SideCost(0.5, 0, 0, 20, 0));

    private readonly string _folder = Directory.CreateTempSubdirectory("dovetail-tests").FullName;
    private readonly List<string> _notes = [];

    private string FilePath => Path.Combine(_folder, "calibration", s_key.ToFileName());

    private CalibrationCache Cache => new(Path.Combine(_folder, "calibration"), _notes.Add);

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void What_was_kept_is_found_under_its_key_alone()
    {
        Assert.Null(Cache.Find(s_key));
        Cache.Keep(s_calibration);
        Assert.Equal(s_calibration, Cache.Find(s_key));
        foreach (CalibrationKey other in (CalibrationKey[])[
            s_key with { Machine = "another" }, s_key with { Op = "Gemm" }, s_key with { Pattern = "1:8" },
                s_key with { DType = DType.Int8 }, s_key with { Threads = 2 }, s_key with { Kernel = "walk" }])
            Assert.Null(Cache.Find(other));
        Assert.Empty(_notes);
        Assert.Equal([FilePath], Directory.GetFiles(_folder, "*", SearchOption.AllDirectories)); // no temporary left
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("[1, 2]")]
    [InlineData("{\"Key\": 3}")]
    [InlineData("not json")]
    public void A_damaged_file_is_a_note_and_is_replaced(string content)
    {
        Cache.Keep(s_calibration);
        File.WriteAllText(FilePath, content);
        Assert.Null(Cache.Find(s_key));
        Assert.Contains(FilePath, Assert.Single(_notes));
        Assert.Contains("measuring anew", _notes[0]);
        Cache.Keep(s_calibration);
        Assert.Equal(s_calibration, Cache.Find(s_key));
    }

    [Fact]
    public void Every_cut_of_a_file_is_survived()
    {
        Cache.Keep(s_calibration);
        byte[] whole = File.ReadAllBytes(FilePath);
        for (int length = 0; length < whole.Length; length++)
        {
            File.WriteAllBytes(FilePath, whole[..length]);
            Assert.Null(Cache.Find(s_key));
        }
    }

    [Fact]
    public void A_calibration_of_another_machine_or_with_impossible_constants_does_not_count()
    {
        Cache.Keep(s_calibration);
        string text = File.ReadAllText(FilePath);
        foreach ((string from, string to) in ((string, string)[])[
            ("cpu; versions", "cpu; others"), ("10.5", "-10.5"), ("\"Transpose\"", "\"Other\"")])
        {
            File.WriteAllText(FilePath, text.Replace(from, to));
            Assert.Null(Cache.Find(s_key));
        }

        Assert.Equal(3, _notes.Count);
    }

    [Fact]
    public void A_folder_that_cannot_be_written_is_a_note()
    {
        File.WriteAllText(Path.Combine(_folder, "file"), "");
        var cache = new CalibrationCache(Path.Combine(_folder, "file", "calibration"), _notes.Add);
        cache.Keep(s_calibration);
        Assert.Contains("is not kept", Assert.Single(_notes));
        Assert.Null(cache.Find(s_key));
        new CalibrationCache(null, _notes.Add).Keep(s_calibration);
        Assert.Single(_notes);
    }
}
