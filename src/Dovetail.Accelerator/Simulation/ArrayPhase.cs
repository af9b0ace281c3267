namespace Dovetail.Accelerator.Simulation;

/// <summary>What an array does in a cycle.</summary>
public enum ArrayPhase
{
    /// <summary>Weights and owners shift in from above.</summary>
    Load,

    /// <summary>Pixels stream past the weights.</summary>
    Stream,
}
