using Dovetail.Accelerator.Config;

namespace Dovetail.Accelerator.Tests.Config;

public sealed class EnergyTableTests
{
    private const string Good =
        """
        {"source": "s", "technology": "t", "multiply_int8_picojoules": 1, "add_int32_picojoules": 2, "register_bit_picojoules": 3,
         "multiplexer_bit_picojoules": 4, "sram64_bit": [{"bytes": 64, "picojoules": 8}, {"bytes": 256, "picojoules": 24}], "dram64_bit_picojoules": 80}
        """;

    [Fact]
    public void The_embedded_table_names_its_source_and_interpolates_between_its_sizes()
    {
        EnergyTable table = EnergyTable.Default;
        Assert.Contains("ISSCC 2014", table.Source, StringComparison.Ordinal);
        Assert.Equal((0.2, 0.1, 1300.0), (table.MultiplyInt8Picojoules, table.AddInt32Picojoules, table.Dram64BitPicojoules));
        Assert.Equal(10.0 / 8, table.SramBytePicojoules(1));
        Assert.Equal(10.0 / 8, table.SramBytePicojoules(8192));
        Assert.Equal(15.0 / 8, table.SramBytePicojoules(16384), 1e-9);
        Assert.Equal(100.0 / 8, table.SramBytePicojoules(1 << 24));
    }

    [Fact]
    public void A_users_table_is_read_from_a_file()
    {
        string path = Path.Combine(Path.GetTempPath(), $"dovetail-{Guid.NewGuid():N}.json");
        File.WriteAllText(path, Good);
        try
        {
            Assert.Equal(2, EnergyTable.Load(path).SramBytePicojoules(128), 1e-9);
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Theory]
    [InlineData("\"source\": \"s\"", "\"source\": \" \"", "names no source")]
    [InlineData("\"multiply_int8_picojoules\": 1,", "", "multiply_int8_picojoules")]
    [InlineData("\"multiply_int8_picojoules\": 1", "\"multiply_int8_picojoules\": -1", "negative")]
    [InlineData("\"multiply_int8_picojoules\": 1", "\"multiply_int8_picojoules\": \"x\"", "not valid")]
    [InlineData("\"technology\"", "\"colour\": 1, \"technology\"", "colour")]
    [InlineData("\"bytes\": 256", "\"bytes\": 64", "ascending")]
    [InlineData("\"bytes\": 64", "\"bytes\": 0", "SRAM sizes")]
    [InlineData("}", "", "not valid")]
    public void A_wrong_table_is_refused_with_its_name(string from, string to, string message)
    {
        var error = Assert.Throws<AcceleratorException>(
            () => EnergyTable.Parse(Good.Replace(from, to, StringComparison.Ordinal), "mine.json"));
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
        Assert.Contains("mine.json", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_missing_file_is_named() =>
        Assert.Contains(
            "/no/such.json", Assert.Throws<AcceleratorException>(() => EnergyTable.Load("/no/such.json")).Message,
            StringComparison.Ordinal);
}
