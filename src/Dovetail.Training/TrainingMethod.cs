namespace Dovetail.Training;

/// <summary>How the masks come about.</summary>
public enum TrainingMethod
{
    /// <summary>No masks.</summary>
    Dense,

    /// <summary>SR-STE: every cell keeps its greatest shadow weights, from the first step on.</summary>
    SrSte,

    /// <summary>SR-STE whose density falls from 1 to the pattern's between 5 % and 40 % of the training.</summary>
    Growing,

    /// <summary>Random owners, drawn once: the baseline that evolving owners have to beat.</summary>
    Static,
}
