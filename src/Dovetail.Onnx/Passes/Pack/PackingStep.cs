using Dovetail.Onnx.Model;

namespace Dovetail.Onnx.Passes.Pack;

/// <summary>A pass of packing; <see cref="PackingSteps"/> holds them in order.</summary>
/// <param name="Name">E.g. "fold-batch-norms".</param>
/// <param name="Description">What it does, in a sentence.</param>
internal abstract record PackingStep(string Name, string Description)
{
    public sealed override string ToString() => $"{Name}: {Description}";
}

/// <summary>Brings a copy of the source to the form that plans are made of.</summary>
internal sealed record PreparationStep(string Name, string Description, Action<OnnxModel> Apply)
    : PackingStep(Name, Description);

/// <summary>Changes the plan; the model stays.</summary>
internal sealed record PlanningStep(string Name, string Description, Func<PackingJob, PackingPlan, PackingPlan> Apply)
    : PackingStep(Name, Description);

/// <summary>
/// Draws the graph of the packed model by the plan, from which its layout is read; weights and other tensors are not copied.
/// </summary>
internal sealed record DrawingStep(string Name, string Description, Action<PackingJob, PackingPlan, OnnxModel> Apply)
    : PackingStep(Name, Description);

/// <summary>Finishes the drawn graph; the plan stays.</summary>
internal sealed record WritingStep(string Name, string Description, Action<PackingJob, PackingPlan, OnnxModel> Apply)
    : PackingStep(Name, Description);
