namespace Dovetail.Training.Graph.Operators;

/// <summary>What a constant is to the operator that reads it; from it follows what is learned.</summary>
internal enum InputRole
{
    /// <summary>The weights of a layer: learned, and decayed.</summary>
    Weight,

    /// <summary>A bias or a scale that the layer itself has: learned.</summary>
    Bias,

    /// <summary>Combined with a value element by element: a bias, a scale or a constant, as its shape and its place say.</summary>
    Operand,

    /// <summary>Reordered or mapped: it is what it is to the readers of the result.</summary>
    Passed,

    /// <summary>Updated by the operator itself while training (running statistics).</summary>
    Buffer,

    /// <summary>Read at construction (a shape, a limit), not passed as a tensor.</summary>
    Constant,
}
