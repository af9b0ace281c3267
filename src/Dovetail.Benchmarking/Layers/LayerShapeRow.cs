using System.Globalization;

namespace Dovetail.Benchmarking.Layers;

/// <summary>A line of a list of layers; what is wrong with it is said with file and line.</summary>
internal sealed class LayerShapeRow
{
    private readonly string[] _header, _fields;
    private readonly string _source;
    private readonly int _line;

    public LayerShapeRow(string[] header, string[] fields, string source, int line)
    {
        (_header, _fields, _source, _line) = (header, fields, source, line);
        if (fields.Length != header.Length)
            throw Wrong($"it has {fields.Length} fields, expected {header.Length} as in the header");
    }

    public bool Has(string column) => Find(column).Length > 0;

    public string Text(string column) => Has(column) ? Find(column) : throw Wrong($"{column} is empty");

    public int Positive(string column) => Parse(column, Text(column), 1);

    public int Number(string column, int defaultValue, int least) => Has(column) ? Parse(column, Text(column), least) : defaultValue;

    public BenchmarkException Wrong(string what) => new($"{_source}({_line.ToString(CultureInfo.InvariantCulture)}): {what}.");

    private string Find(string column) => Array.IndexOf(_header, column) is var at and >= 0 ? _fields[at] : "";

    private int Parse(string column, string text, int least) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int value) && value >= least
            ? value
            : throw Wrong($"{column} is '{text}', expected a whole number of {least} or more");
}
