using Dovetail.Cli.Reports.Results;
using Dovetail.Core.Packing;

namespace Dovetail.Cli.Codesign;

/// <summary>The mask of the largest packed layer, cut to what a picture can show.</summary>
internal static class MaskPictures
{
    private const int MaxRows = 128, MaxColumns = 576;

    public static MaskPicture Of(PackedModel model)
    {
        PackedLayer layer = model.Layers.Where(candidate => !candidate.Weights.Pattern.IsDense)
            .MaxBy(candidate => candidate.Weights.Shape.Count)
            ?? model.Layers[0];
        bool[] mask = Packer.UnpackMask(layer.Weights);
        int totalRows = layer.Weights.Shape.Outputs, totalColumns = layer.Weights.Shape.Inputs;
        int rows = Math.Min(totalRows, MaxRows), columns = Math.Min(totalColumns, MaxColumns), rowBytes = (columns + 7) / 8;
        var bits = new byte[rows * rowBytes];
        for (int row = 0; row < rows; row++)
            for (int column = 0; column < columns; column++)
                if (mask[row * totalColumns + column])
                    bits[row * rowBytes + column / 8] |= (byte)(1 << column % 8);
        return new MaskPicture(
            layer.Name, rows, columns, totalRows, totalColumns, layer.Weights.Pattern.ToString(), Convert.ToBase64String(bits));
    }
}
