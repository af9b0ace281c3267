namespace Dovetail.Training.Optimization;

/// <summary>Rises linearly over the warm-up, then falls to 0 along half a cosine (Loshchilov and Hutter, arXiv:1608.03983).</summary>
internal sealed class LearningRateSchedule(double peak, double warmUp, int steps)
{
    private readonly double _warmUpSteps = warmUp * steps;

    public double At(int step) => step < _warmUpSteps
        ? peak * (step + 1) / (_warmUpSteps + 1)
        : peak * 0.5 * (1 + Math.Cos(Math.PI * (step - _warmUpSteps) / Math.Max(1, steps - _warmUpSteps)));
}
