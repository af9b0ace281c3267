namespace Dovetail.Fuzz;

/// <summary>A reader under test: it takes any bytes and returns, or throws a DovetailException, and nothing else.</summary>
internal abstract class FuzzTarget
{
    public abstract string Name { get; }

    /// <summary>Valid inputs to start from, deterministic.</summary>
    public abstract IReadOnlyList<byte[]> Corpus { get; }

    /// <summary>Words of the format, which mutations insert.</summary>
    public abstract IReadOnlyList<byte[]> Dictionary { get; }

    /// <summary>What an input of a length may allocate, in bytes.</summary>
    public abstract long AllocationLimit(int length);

    /// <summary>Reads an input with all its parts.</summary>
    public abstract void Read(byte[] input);

    /// <summary>Makes lengths and the like fit again after a mutation, so that it gets past the first check.</summary>
    public virtual byte[] Repair(byte[] input, Random random) => input;
}
