using Dovetail.Onnx.Model;

namespace Dovetail.Onnx.Operators;

/// <summary>Operators that move numbers, make them or ask for shapes.</summary>
internal static class LayoutOperators
{
    public static IReadOnlyList<OnnxOperator> Rows { get; } =
    [
        new("Concat", 1, 4, 11, 13)
        {
            From = 4, // the axis had a default before
            ShapeFrom = 4,
            Shape = LayoutRules.Concat,
            Values = ValueRules.Concat,
            Layout = new LayoutFreedom { AllInputs = true, Axis = "axis" },
        },
        new("Constant", 1, 9, 11, 12, 13, 19, 21, 23, 24, 25) { RequiredInputs = 0, Shape = LayoutRules.Constant },
        new("ConstantOfShape", 9, 20, 21, 23, 24, 25)
        {
            Shape = DynamicRules.ConstantOfShape,
            Values = ValueRules.ConstantOfShape,
        },
        new("DepthToSpace", 1, 11, 13) { Shape = LayoutRules.DepthToSpace },
        new("Expand", 8, 13) { RequiredInputs = 2, Shape = DynamicRules.Expand },
        new("Flatten", 1, 9, 11, 13, 21, 23, 24, 25) { Shape = LayoutRules.Flatten, Channels = ChannelTie.Shape },
        new("Gather", 1, 11, 13)
        {
            RequiredInputs = 2,
            Shape = LayoutRules.Gather,
            Values = ValueRules.Gather,
            Layout = new LayoutFreedom { Axis = "axis", Only = IsOrder },
        },
        new("GatherElements", 11, 13) { RequiredInputs = 2, Shape = c => [c.Input(1) with { Type = c.Input(0).Type }] },
        new("Pad", 1, 2, 11, 13, 18, 19, 21, 23, 24, 25)
        {
            From = 2, // the attribute had another name before
            ShapeFrom = 2,
            Parameters =
            [
                OperatorParameter.Moved("pads", toInput: 1, since: 11),
                OperatorParameter.Moved("value", toInput: 2, since: 11),
                new OperatorParameter("axes", (18, 3)),
            ],
            Shape = DynamicRules.Pad,
            Layout = new LayoutFreedom { PerDimension = ["pads"], Only = op => !op.IsGiven("axes") },
        },
        new("Range", 11) { RequiredInputs = 3, Shape = c => [new TensorInfo(c.Input(0).Type, [Dim.Unknown])] },
        new("Reshape", 1, 5, 13, 14, 19, 21, 23, 24, 25)
        {
            Parameters = [OperatorParameter.Moved("shape", toInput: 1, since: 5)],
            Shape = LayoutRules.Reshape,
            Values = ValueRules.Same,
            Channels = ChannelTie.Shape,
        },
        new("Resize", 10, 11, 13, 18, 19)
        {
            Parameters = [new OperatorParameter("scales", (10, 1), (11, 2)), new OperatorParameter("sizes", (11, 3))],
            Shape = DynamicRules.Resize,
            Layout = new LayoutFreedom
            {
                PerDimension = ["sizes", "scales"],
                Only = op => IsNearest(op) && op.Node.FindAttribute("axes") is null,
            },
        },
        new("ScatterElements", 11, 13, 16, 18) { RequiredInputs = 3, Shape = ElementwiseRules.Same },
        new("ScatterND", 11, 13, 16, 18) { RequiredInputs = 3, Shape = ElementwiseRules.Same },
        new("Shape", 1, 13, 15, 19, 21, 23, 24, 25) { Shape = LayoutRules.Shape, Values = ValueRules.Shape },
        new("Size", 1, 13, 19, 21, 23, 24, 25) { Shape = _ => [new TensorInfo(OnnxType.Int64, [])], Values = ValueRules.Size },
        new("Slice", 1, 10, 11, 13)
        {
            Parameters =
            [
                OperatorParameter.Moved("starts", toInput: 1, since: 10),
                OperatorParameter.Moved("ends", toInput: 2, since: 10),
                OperatorParameter.Moved("axes", toInput: 3, since: 10),
                new OperatorParameter("steps", (10, 4)),
            ],
            Shape = DynamicRules.Slice,
            Values = ValueRules.Slice,
        },
        new("SpaceToDepth", 1, 13) { Shape = LayoutRules.SpaceToDepth },
        new("Split", 1, 2, 11, 13, 18)
        {
            From = 2, // an attribute and an input at once before
            ShapeFrom = 2,
            Parameters = [OperatorParameter.Moved("split", toInput: 1, since: 13)],
            Shape = DynamicRules.Split,
            Layout = new LayoutFreedom { Axis = "axis", AllOutputs = true },
        },
        new("Squeeze", 1, 11, 13, 21, 23, 24, 25)
        {
            Parameters = [OperatorParameter.Moved("axes", toInput: 1, since: 13)],
            Shape = LayoutRules.Squeeze,
            Values = ValueRules.Same,
            Channels = ChannelTie.Shape,
        },
        new("Tile", 1, 6, 13) { From = 6, ShapeFrom = 6, RequiredInputs = 2, Shape = DynamicRules.Tile },
        new("Transpose", 1, 13, 21, 23, 24, 25) { Shape = LayoutRules.Transpose, Values = ValueRules.Transpose },
        new("Trilu", 14) { Shape = ElementwiseRules.Same },
        new("Unsqueeze", 1, 11, 13, 21, 23, 24, 25)
        {
            Parameters = [OperatorParameter.Moved("axes", toInput: 1, since: 13)],
            Shape = LayoutRules.Unsqueeze,
            Values = ValueRules.Same,
            Channels = ChannelTie.Shape,
        },
        new("Upsample", 7, 9, 10)
        {
            RemovedIn = 10,
            Parameters = [new OperatorParameter("scales", (7, null), (9, 1))],
            Shape = DynamicRules.Scale,
            Layout = new LayoutFreedom { PerDimension = ["scales"], Only = IsNearest },
        },
    ];

    // Of channels, say.
    private static bool IsOrder(OperatorNode op) => op.Model.FindConstant(op.Node.Inputs[1])?.Dims.Count == 1;

    private static bool IsNearest(OperatorNode op) => op.Node.GetString("mode", "nearest") == "nearest";
}
