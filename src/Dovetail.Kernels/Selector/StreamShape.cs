namespace Dovetail.Kernels.Selector;

/// <summary>How a tile walks its streams and its inputs; the same for every tile of a layer.</summary>
/// <param name="Taps">Filter positions.</param>
/// <param name="Windows">Windows of inputs in one tap.</param>
/// <param name="Steps">Steps in one window.</param>
/// <param name="WindowStrideBytes">From one window's inputs to the next.</param>
/// <param name="LastOffsetBytes">No window starts behind this, so that full loads end within the tap's channels.</param>
internal readonly record struct StreamShape(int Taps, int Windows, int Steps, nint WindowStrideBytes, nint LastOffsetBytes);
