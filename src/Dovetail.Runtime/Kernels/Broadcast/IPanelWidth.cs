namespace Dovetail.Runtime.Kernels.Broadcast;

/// <summary>Vectors of pixels that a panel is wide: a constant for the compiler.</summary>
internal interface IPanelWidth
{
    static abstract int Vectors { get; }
}

internal readonly struct OneVector : IPanelWidth
{
    public static int Vectors => 1;
}

internal readonly struct TwoVectors : IPanelWidth
{
    public static int Vectors => 2;
}

internal readonly struct FourVectors : IPanelWidth
{
    public static int Vectors => 4;
}
