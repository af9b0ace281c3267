namespace Dovetail.Kernels.Selector;

/// <summary>A number as a type, so that the compiler drops the code of registers a tile does not have.</summary>
internal interface IConstant
{
    static abstract int Value { get; }
}

internal readonly struct One : IConstant
{
    public static int Value => 1;
}

internal readonly struct Two : IConstant
{
    public static int Value => 2;
}

internal readonly struct Four : IConstant
{
    public static int Value => 4;
}

internal readonly struct Seven : IConstant
{
    public static int Value => 7;
}
