using System.Collections.Immutable;
using Dovetail.Core.Operators;
using Dovetail.Onnx.Layers;
using Dovetail.Onnx.Passes.Fuse;
using Dovetail.Onnx.Passes.Layout;
using Dovetail.Onnx.Passes.Normalize;

namespace Dovetail.Onnx.Passes.Pack;

/// <summary>The passes of packing in the order in which they run; docs/operators.md lists them, and a test compares the two.</summary>
internal static class PackingSteps
{
    public static ImmutableArray<PackingStep> All { get; } =
    [
        new PreparationStep("fold-batch-norms", "Batch norms are folded into the convolutions before them.",
            model => BatchNormFolding.Fold(model)),
        new PreparationStep("normalize-gemms", "Fully connected layers are brought to one form.", GemmNormalization.Apply),
        new PreparationStep("decompose-gemms", "What PackedGemm does not have, a transposed input or an addend, becomes a node of its own.",
            GemmDecomposition.Apply),

        new PlanningStep("fit-layers",
            "Each layer with weights gets the pattern that it satisfies and is packed, or a reason why it stays dense.", (job, _) =>
                job.FitLayers()),
        new PlanningStep("choose-faster", "Where that is asked for, layers that would not become faster stay dense.",
            (job, plan) => job.ChooseFaster(plan)),

        new DrawingStep("draw-layers", $"Packed layers become operators of {OperatorSet.Domain}, convolutions between Transposes.",
            (job, plan, model) => job.DrawLayers(plan, model)),
        new DrawingStep("grow-nhwc", "Transposes move and cancel until they stand only at the borders of NHWC regions.",
            (_, _, model) => ChannelsLastRegions.Grow(model)),

        new WritingStep("take-bytes", "A maximum between DequantizeLinear and QuantizeLinear of one scale is taken on the bytes.",
            (_, _, model) => ChannelsLastWindows.TakeBytes(model)),
        new WritingStep("fuse-epilogues", "Bias, residual and activation move into the packed operator before them.",
            (_, _, model) => EpilogueFusion.Apply(model)),
        new WritingStep("declare-pattern", "The metadata name the pattern, where all packed layers have one.", (_, plan, model) =>
        {
            model.RemoveMetadata(LayerPatterns.Metadata); // the nodes themselves say it now
            LayerPatterns.DeclareCommon(model, plan.Packed.Select(layer => layer.Pattern!));
        }),
    ];
}
