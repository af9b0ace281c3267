namespace Dovetail.Core.Patterns;

/// <summary>The direction in which the candidates of a cell lie.</summary>
public enum CellAxis
{
    /// <summary>A cell is <c>group</c> inputs of one output row: the machine selects an input per slot.</summary>
    Input,

    /// <summary>A cell is <c>group</c> rows at one input: the machine selects an accumulator per slot.</summary>
    Output,
}
