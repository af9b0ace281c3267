using Dovetail.Core.Patterns;
using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace Dovetail.Training.Sparsity;

/// <summary>
/// Core's projection (the best mask of a pattern for given scores) in Torch operations: the same mask, ties included.
/// 1. Scores [M, C, spatial…] become [G, O, T, C]: convolution groups, outputs of one, taps, channels.
/// 2. Rows are filled up with zeros to whole runs of <c>share</c> and summed in fp64: [G, R, T, C].
/// 3. The cell axis (C, or R on the output axis) is filled up to J·group with −∞, which no cell keeps unless it has
///    fewer candidates than <c>keep</c>; there it is cut off again.
/// 4. Contiguous cells split the axis as [J, group], strided ones as [group, J] (CellLayout, step 5).
/// 5. The first <c>keep</c> of a stable descending sort, which leaves ties to the lower candidate.
/// 6. The way back: merge, cut, repeat over the run, cut, reorder.
/// </summary>
internal sealed class TorchProjection
{
    private readonly CellLayout _layout;
    private readonly long[] _shape; // of the tensor as Torch holds it
    private readonly bool _inputsFirst;
    private readonly long _groups, _outputs, _runs, _share, _taps, _channels;
    private readonly long _axisLength, _cells, _group;
    private readonly int _keep;

    /// <param name="layout">The pattern on the weights' shape.</param>
    /// <param name="inputsFirst">True where the tensor is [K, M], as MatMul has it; only for matrices.</param>
    public TorchProjection(CellLayout layout, bool inputsFirst)
    {
        (_layout, _inputsFirst) = (layout, inputsFirst);
        WeightShape shape = layout.Shape;
        _shape = inputsFirst ? [shape.Inputs, shape.Outputs] : [.. shape.Dimensions.Select(d => (long)d)];
        ComplementaryPattern pattern = layout.Pattern;
        (_groups, _outputs, _share) = (shape.Groups, shape.OutputsPerGroup, pattern.Share);
        (_taps, _channels) = (shape.Taps, shape.Channels);
        _runs = (_outputs + _share - 1) / _share;
        (_group, _keep) = (pattern.Group, pattern.Keep);
        _axisLength = pattern.Axis == CellAxis.Input ? _channels : _runs;
        _cells = (_axisLength + _group - 1) / _group;
    }

    /// <param name="scores">In the weight tensor's own order.</param>
    /// <returns>A mask of the same shape: 1 where a weight is kept, 0 elsewhere.</returns>
    public Tensor Project(Tensor scores)
    {
        bool inputAxis = _layout.Pattern.Axis == CellAxis.Input;
        Tensor matrix = ToMatrix(scores.detach());
        if (_share > 1)
            matrix = pad(matrix.to(float64), [0, 0, 0, 0, 0, _runs * _share - _outputs])
                .view(_groups, _runs, _share, _taps, _channels).sum(2);
        Tensor axisLast = inputAxis ? matrix : matrix.permute(0, 2, 3, 1);
        long filled = _cells * _group;
        axisLast = pad(axisLast, [0, filled - _axisLength], value: double.NegativeInfinity);
        long[] outer = axisLast.shape[..3];
        bool contiguous = _layout.Pattern.Arrangement == Arrangement.Contiguous;
        Tensor cells = contiguous
            ? axisLast.reshape([.. outer, _cells, _group])
            : axisLast.reshape([.. outer, _group, _cells]).transpose(3, 4);
        Tensor mask = zeros(cells.shape).scatter_(4, Best(cells), ones(1).expand([.. cells.shape[..4], _keep]));
        mask = (contiguous ? mask : mask.transpose(3, 4)).reshape([.. outer, filled])[.., .., .., ..(int)_axisLength];
        mask = inputAxis ? mask : mask.permute(0, 3, 1, 2);
        if (_share > 1)
            mask = mask.unsqueeze(2).expand(_groups, _runs, _share, _taps, _channels)
                .reshape(_groups, _runs * _share, _taps, _channels)[.., ..(int)_outputs];
        return ToTensor(mask);
    }

    /// <summary>A mask in matrix order as a tensor of the weights' own order: the inverse of <see cref="MatrixMask"/>.</summary>
    public Tensor FromMatrixMask(bool[] mask)
    {
        Tensor matrix = tensor(Array.ConvertAll(mask, m => m ? 1f : 0f), [_groups, _outputs, _taps, _channels]);
        return ToTensor(matrix);
    }

    /// <summary>A mask in matrix order, as Core has it.</summary>
    public bool[] MatrixMask(Tensor mask)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor matrix = ToMatrix(mask).contiguous();
        return Array.ConvertAll(matrix.data<float>().ToArray(), m => m != 0);
    }

    private Tensor Best(Tensor cells) => _keep == 1
        ? cells.argmax(4, keepdim: true) // the first of equals
        : sort(cells, 4, descending: true, stable: true).Item2[.., .., .., .., .._keep];

    private Tensor ToMatrix(Tensor t) =>
        (_inputsFirst ? t.t() : t).reshape(_groups, _outputs, _channels, _taps).transpose(2, 3);

    private Tensor ToTensor(Tensor matrix)
    {
        Tensor t = matrix.transpose(2, 3).reshape(_groups * _outputs, _channels * _taps);
        return _inputsFirst ? t.t().contiguous() : t.reshape(_shape).contiguous();
    }
}
