using Dovetail.Onnx.Model;

namespace Dovetail.Onnx.Operators;

/// <summary>Shapes of operators that rearrange or reduce dimensions.</summary>
internal static class LayoutRules
{
    public static TensorInfo[] Reduce(ShapeContext c)
    {
        TensorInfo x = c.Input(0);
        long[]? axes = c.Operator.Ints("axes");
        return axes is null or [] && c.Node.GetInt("noop_with_empty_axes", 0) != 0 ? [x] : [Reduce(c, x, axes)];
    }

    /// <summary>The place of an extremum along one axis.</summary>
    public static TensorInfo[] ArgReduce(ShapeContext c) =>
        [Reduce(c, c.Input(0), [c.Node.GetInt("axis", 0)]) with { Type = OnnxType.Int64 }];

    private static TensorInfo Reduce(ShapeContext c, TensorInfo x, long[]? axes)
    {
        HashSet<int> reduced = axes is null or [] ? [.. Enumerable.Range(0, x.Rank)] : [.. axes.Select(a => c.Axis(a, x.Rank))];
        bool keep = c.Node.GetInt("keepdims", 1) != 0;
        var shape = new List<Dim>();
        for (int i = 0; i < x.Rank; i++)
            if (!reduced.Contains(i))
                shape.Add(x.Shape[i]);
            else if (keep)
                shape.Add(1);
        return new TensorInfo(x.Type, shape);
    }

    public static TensorInfo[] Flatten(ShapeContext c)
    {
        TensorInfo x = c.Input(0);
        long axis = c.Node.GetInt("axis", 1);
        int at = axis == x.Rank ? x.Rank : c.Axis(axis, x.Rank);
        return [new TensorInfo(x.Type, [Product(x.Shape.Take(at)), Product(x.Shape.Skip(at))])];
    }

    public static TensorInfo[] Reshape(ShapeContext c)
    {
        TensorInfo x = c.Input(0);
        if (!c.Operator.IsGiven("shape"))
            throw c.Bad("it has no shape");
        if (c.Values("shape") is not { } wanted)
            return [new TensorInfo(x.Type, ComputedShape(c))];
        bool zeroIsZero = c.Node.GetInt("allowzero", 0) != 0;
        var shape = new Dim[wanted.Length];
        int free = -1;
        for (int i = 0; i < wanted.Length; i++)
        {
            if (wanted[i].Value == -1 && free < 0)
                free = i;
            else if (wanted[i].Value < 0 || (wanted[i].Value == 0 && !zeroIsZero && i >= x.Rank))
                throw c.Bad($"{x} cannot take the shape [{string.Join(", ", wanted)}]");
            else
                shape[i] = wanted[i].Value == 0 && !zeroIsZero ? x.Shape[i] : wanted[i];
        }

        if (free >= 0)
            shape[free] = Rest(c, x, shape.Where((_, i) => i != free));
        else if (Product(x.Shape) is { IsKnown: true } before && Product(shape) is { IsKnown: true } after && before != after)
            throw c.Bad($"{x} has {before} elements, and the shape [{string.Join(", ", shape)}] has {after}");
        return [new TensorInfo(x.Type, shape)];
    }

    // A shape that only a run gives still has a length.
    private static Dim[] ComputedShape(ShapeContext c) =>
        c.Input(1, rank: 1).Shape[0].Value is >= 0 and <= 16 and var rank
            ? [.. Enumerable.Repeat(Dim.Unknown, (int)rank)]
            : throw c.Undetermined("its shape has no known length");

    public static TensorInfo[] Transpose(ShapeContext c)
    {
        TensorInfo x = c.Input(0);
        long[] order = c.Node.FindInts("perm") ?? [.. Enumerable.Range(0, x.Rank).Reverse().Select(i => (long)i)];
        if (!order.Order().SequenceEqual(Enumerable.Range(0, x.Rank).Select(i => (long)i)))
            throw c.Bad($"perm [{string.Join(", ", order)}] does not permute {x}");
        return [new TensorInfo(x.Type, [.. order.Select(i => x.Shape[(int)i])])];
    }

    public static TensorInfo[] Concat(ShapeContext c)
    {
        TensorInfo first = c.Input(0);
        int axis = c.Axis(c.Node.GetInt("axis"), first.Rank);
        Dim[] shape = [.. first.Shape];
        for (int i = 1; i < c.Node.Inputs.Count; i++)
        {
            TensorInfo next = c.Input(i, first.Rank);
            shape[axis] = shape[axis].Value is { } a && next.Shape[axis].Value is { } b ? a + b : Dim.Unknown;
        }

        return [new TensorInfo(first.Type, shape)];
    }

    public static TensorInfo[] Gather(ShapeContext c)
    {
        TensorInfo x = c.Input(0), indices = c.Input(1);
        int axis = c.Axis(c.Node.GetInt("axis", 0), x.Rank);
        return [new TensorInfo(x.Type, [.. x.Shape.Take(axis), .. indices.Shape, .. x.Shape.Skip(axis + 1)])];
    }

    public static TensorInfo[] Squeeze(ShapeContext c)
    {
        TensorInfo x = c.Input(0);
        long[]? axes = c.Operator.Ints("axes");
        if (axes is null && !x.Shape.All(d => d.IsKnown))
            throw c.Undetermined("it takes away the axes of size 1, and not all sizes are known");
        HashSet<int> dropped = axes is null
            ? [.. Enumerable.Range(0, x.Rank).Where(i => x.Shape[i].Value == 1)]
            : [.. axes.Select(a => c.Axis(a, x.Rank))];
        return [new TensorInfo(x.Type, [.. x.Shape.Where((_, i) => !dropped.Contains(i))])];
    }

    public static TensorInfo[] Unsqueeze(ShapeContext c)
    {
        TensorInfo x = c.Input(0);
        long[] axes = c.Operator.Ints("axes") ?? throw c.Bad("it has no axes");
        int rank = x.Rank + axes.Length;
        HashSet<int> added = [.. axes.Select(a => c.Axis(a, rank))];
        var rest = new Queue<Dim>(x.Shape);
        return [new TensorInfo(x.Type, [.. Enumerable.Range(0, rank).Select(i => added.Contains(i) ? (Dim)1 : rest.Dequeue())])];
    }

    public static TensorInfo[] Shape(ShapeContext c) => [new TensorInfo(OnnxType.Int64, [ValueRules.Shape(c).Length])];

    public static TensorInfo[] Constant(ShapeContext c)
    {
        TensorProto value = c.Node.FindTensor("value") ?? throw c.Undetermined("its value is no tensor of numbers");
        return [new TensorInfo(value.DataType, [.. value.Dims.Select(d => (Dim)d)])];
    }

    /// <summary>Blocks of channels to pixels.</summary>
    public static TensorInfo[] DepthToSpace(ShapeContext c)
    {
        TensorInfo x = c.Input(0, rank: 4);
        int block = BlockSize(c);
        Dim channels = Divided(c, x.Shape[1], (long)block * block);
        return [new TensorInfo(x.Type, [x.Shape[0], channels, c.Times(x.Shape[2], block), c.Times(x.Shape[3], block)])];
    }

    /// <summary>Blocks of pixels to channels.</summary>
    public static TensorInfo[] SpaceToDepth(ShapeContext c)
    {
        TensorInfo x = c.Input(0, rank: 4);
        int block = BlockSize(c);
        Dim channels = c.Times(x.Shape[1], (long)block * block);
        return [new TensorInfo(x.Type, [x.Shape[0], channels, Divided(c, x.Shape[2], block), Divided(c, x.Shape[3], block)])];
    }

    /// <summary>The greatest values along an axis, and where they are.</summary>
    public static TensorInfo[] TopK(ShapeContext c)
    {
        TensorInfo x = c.Input(0);
        Dim[] shape = [.. x.Shape];
        shape[c.Axis(c.Node.GetInt("axis", -1), x.Rank)] = c.Values("k") is [var count] ? count : Dim.Unknown;
        return [new TensorInfo(x.Type, shape), new TensorInfo(OnnxType.Int64, shape)];
    }

    private static int BlockSize(ShapeContext c) =>
        c.Node.GetInt("blocksize") is > 0 and <= int.MaxValue and var size ? (int)size : throw c.Bad("its blocksize is no size");

    private static Dim Divided(ShapeContext c, Dim length, long by) =>
        length.Value % by is not (0 or null) ? throw c.Bad($"a length of {length} does not divide into blocks of {by}")
        : length.Value is { } known ? known / by
        : Dim.Unknown;

    // What -1 stands for: the elements of x over those of the other dimensions; a symbol left over
    // on x's side alone is it.
    private static Dim Rest(ShapeContext c, TensorInfo x, IEnumerable<Dim> others)
    {
        List<Dim> symbols = [.. x.Shape.Where(d => !d.IsKnown)];
        long have = x.Shape.Where(d => d.IsKnown).Aggregate(1L, (a, d) => a * d.Value!.Value), used = 1;
        foreach (Dim other in others)
        {
            if (other.Value is { } value)
                used *= value;
            else if (other.Symbol is null || !symbols.Remove(other))
                return Dim.Unknown;
        }

        if (used == 0 || (symbols.Count == 0 && have % used != 0))
            throw c.Bad($"{x} does not divide into {used} elements");
        return symbols switch
        {
            [] => have / used,
            [var symbol] when have == used => symbol,
            _ => Dim.Unknown,
        };
    }

    private static Dim Product(IEnumerable<Dim> dims)
    {
        Dim[] rest = [.. dims.Where(d => d.Value != 1)];
        return rest.Length == 1 ? rest[0]
            : rest.All(d => d.IsKnown) && rest.Aggregate(1.0, (a, d) => a * d.Value!.Value) < long.MaxValue / 2
                ? rest.Aggregate(1L, (a, d) => a * d.Value!.Value)
            : Dim.Unknown;
    }
}
