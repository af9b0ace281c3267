namespace Dovetail.Accelerator.Config;

/// <summary>Which operand stays in the PEs while the others stream past.</summary>
public enum Dataflow
{
    /// <summary>Array rows hold inputs (packed slots), columns hold outputs; pixels stream.</summary>
    WeightStationary,

    /// <summary>Array rows hold pixels, columns hold outputs; inputs stream.</summary>
    OutputStationary,

    /// <summary>Array rows hold inputs, columns hold pixels; outputs stream.</summary>
    InputStationary,
}
