namespace Dovetail.Core.Patterns;

/// <summary>Which entries along the cell axis are candidates of the same cell.</summary>
public enum Arrangement
{
    /// <summary>Neighbours: cell j holds entries j·group … j·group + group − 1. N:M is this case.</summary>
    Contiguous,

    /// <summary>Tiles laid on top of each other: with J cells, cell j holds entries j, j + J, j + 2J, …</summary>
    Strided,
}
