using Dovetail.Core;

namespace Dovetail.Training;

/// <summary>A training that cannot start or go on: options that do not fit, a checkpoint of another run, a loss that is no
/// number.</summary>
public sealed class TrainingException : DovetailException
{
    public TrainingException(string message) : base(message) { }

    public TrainingException(string message, Exception innerException) : base(message, innerException) { }
}
