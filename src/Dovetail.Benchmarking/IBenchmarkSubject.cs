namespace Dovetail.Benchmarking;

/// <summary>A network that can be called, with its inputs at hand: a session of ONNX Runtime, or another framework's.</summary>
public interface IBenchmarkSubject : IDisposable
{
    /// <summary>E.g. "packed", "dense".</summary>
    string Name { get; }

    /// <summary>From the model's bytes to the first call.</summary>
    double LoadMilliseconds { get; }

    /// <summary>Runs once; returns the microseconds it took. Calls may overlap on different lanes.</summary>
    /// <param name="lane">0 … lanes − 1; each has inputs and outputs of its own.</param>
    double Run(int lane);
}
