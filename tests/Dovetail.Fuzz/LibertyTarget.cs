using System.Text;
using Dovetail.Rtl.Synthesis;

namespace Dovetail.Fuzz;

/// <summary>Cell libraries, Liberty.</summary>
internal sealed class LibertyTarget : FuzzTarget
{
    private readonly string _path = Path.Combine(Directory.CreateTempSubdirectory("dovetail-fuzz-").FullName, "input.lib");

    public override string Name => "liberty";

    public override IReadOnlyList<byte[]> Corpus { get; } =
        [
            """
            library (small) {
              cell (INV) { area : 1.5; pin (A) { direction : input; capacitance : 0.01; }
                pin (Y) { direction : output; function : "!A";
                  timing () { related_pin : "A"; cell_rise (t) { index_1 ("0, 1"); index_2 ("0, 1"); values ("1, 2", "3, 4"); }
                    cell_fall (t) { index_1 ("0, 1"); index_2 ("0, 1"); values ("1, 2", "3, 4"); } } } }
            }
            """u8.ToArray(),
            "library (x) { /* none */ }"u8.ToArray(),
        ];

    public override IReadOnlyList<byte[]> Dictionary { get; } =
        [.. ((string[])["a(){", "cell () {", "pin (", "values (\"", "/*", "1e999", "}", "timing () {", "\\"])
            .Select(Encoding.UTF8.GetBytes)];

    public override long AllocationLimit(int length) => 1024L * length + 256 * 1024;

    public override void Read(byte[] input)
    {
        File.WriteAllBytes(_path, input);
        CellLibrary.Load(_path);
    }
}
