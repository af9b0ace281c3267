using CsCheck;

namespace Dovetail.Accelerator.Tests;

/// <summary>
/// Property tests whose every case follows from a seed: CsCheck's own seed fixes the first case only. A failure prints
/// its case and the seed that makes it again (CsCheck_Seed, where CsCheck also shrinks).
/// </summary>
internal static class Seeded
{
    public static void ForAll<T>(this Gen<T> cases, int count, ulong seed, Action<T> check, Func<T, string>? print = null)
    {
        for (uint i = 0; i < count; i++)
            cases.Sample(check, seed: new PCG(i, seed).ToString(), iter: 1, threads: 1, print: print);
    }
}
