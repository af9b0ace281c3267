namespace Dovetail.Training.Sparsity;

/// <summary>
/// The density of a growing mask over the steps of a training: 1 until 5 %, then falling to the final one
/// at 40 % along a cubic, s(τ) = s_final·(1 − (1 − τ)³): fast while there is much to lose, then slowly.
/// Source: Zhu and Gupta, arXiv:1710.01878.
/// </summary>
public sealed record DensitySchedule(double FinalDensity, int Steps)
{
    public const double Start = 0.05, End = 0.40;

    /// <summary>The share of weights that may be non-zero at a step, final density … 1.</summary>
    public double At(int step)
    {
        double begin = Start * Steps, end = End * Steps;
        if (step >= end)
            return FinalDensity;
        if (step <= begin)
            return 1;
        double left = 1 - (step - begin) / (end - begin);
        return 1 - (1 - FinalDensity) * (1 - left * left * left);
    }
}
