using Dovetail.Onnx.Model;

namespace Dovetail.Onnx.Passes.Pack;

/// <summary>A plan and the graph that was drawn by it; <see cref="PackingJob.Write"/> finishes it.</summary>
internal sealed record PackingDraft(PackingPlan Plan, OnnxModel Graph);
