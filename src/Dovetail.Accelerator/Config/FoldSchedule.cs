namespace Dovetail.Accelerator.Config;

/// <summary>How the folds of a layer follow each other.</summary>
public enum FoldSchedule
{
    /// <summary>Load, stream, load, stream … as SCALE-Sim counts.</summary>
    Serial,

    /// <summary>PEs hold a second set of weights: the next fold loads while this one streams.</summary>
    Overlapped,
}
