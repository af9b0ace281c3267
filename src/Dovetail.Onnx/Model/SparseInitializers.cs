namespace Dovetail.Onnx.Model;

/// <summary>
/// Sparse initializers become dense ones when a model is read, as in ONNX Runtime, and stay so when it is written. So that a
/// few bytes cannot ask for gigabytes, tensors may not grow beyond a multiple of what the file holds of them, and 64 MB in a model.
/// </summary>
internal static class SparseInitializers
{
    /// <summary>float32 with 8-byte positions: 0.5 % non-zeros.</summary>
    private const int MostGrowth = 64;

    /// <summary>What the sparse tensors of one model may take beyond that, all together.</summary>
    internal sealed class Allowance
    {
        public long LeftBytes { get; set; } = 64 << 20;
    }

    /// <exception cref="OnnxException">Values, indices and dims contradict each other, or the tensor would grow too much.</exception>
    public static void Densify(GraphProto graph, string source, Allowance allowance)
    {
        foreach (SparseTensorProto sparse in graph.SparseInitializers)
            graph.Initializers.Add(Densify(sparse, source, allowance));
        graph.SparseInitializers.Clear();
    }

    public static TensorProto Densify(SparseTensorProto sparse, string source, Allowance allowance)
    {
        if (sparse.Values is not { } values || sparse.Indices is not { } indices)
            throw new OnnxException($"{source} has a sparse initializer without values or indices. The file is damaged.");
        if (values.DataLocation != 0 || indices.DataLocation != 0)
            throw new OnnxException($"{source}: sparse initializer {values} has its data in a file of its own, and the model is no file "
                + "here; load it from its folder.");
        if (indices.DataType != OnnxType.Int64)
            throw Damaged($"indices of type {indices.DataType}, expected Int64");
        long count = values.ElementCount();
        bool linear = indices.Dims.Count == 1;
        if (values.Dims.Count != 1 || indices.Dims.Count is not (1 or 2) || indices.Dims[0] != count
            || (!linear && indices.Dims[1] != sparse.Dims.Count))
            throw Damaged($"{indices} as indices, expected [{count}] or [{count}, {sparse.Dims.Count}]");

        var dense = new TensorProto { Name = values.Name, DataType = values.DataType };
        dense.Dims.AddRange(sparse.Dims);
        byte[] elements = values.ReadBytes();
        long[] places = indices.ToInt64s();
        long size = TensorData.ElementBytes(values.DataType), bytes = dense.ElementCount() * size,
            usual = MostGrowth * (elements.LongLength + places.LongLength * sizeof(long)), limit = usual + allowance.LeftBytes;
        if (bytes > limit || bytes > Array.MaxLength)
            throw Damaged($"{count} non-zeros and {bytes} bytes when dense, expected at most {Math.Min(limit, Array.MaxLength)}; save "
                + "it dense");
        allowance.LeftBytes -= Math.Max(0, bytes - usual);
        byte[] raw = new byte[bytes];
        long previous = -1;
        for (int i = 0; i < count; i++)
        {
            long place = linear ? places[i] : Place(places.AsSpan(i * sparse.Dims.Count, sparse.Dims.Count));
            if (place <= previous || place >= bytes / size)
                throw Damaged($"element {i} at {place}, expected ascending positions below {bytes / size}");
            elements.AsSpan(i * (int)size, (int)size).CopyTo(raw.AsSpan((int)(place * size)));
            previous = place;
        }

        dense.RawData = raw;
        return dense;

        long Place(ReadOnlySpan<long> coordinates)
        {
            long place = 0;
            for (int axis = 0; axis < coordinates.Length; axis++)
            {
                if (coordinates[axis] < 0 || coordinates[axis] >= sparse.Dims[axis])
                    return -1;
                place = place * sparse.Dims[axis] + coordinates[axis];
            }

            return place;
        }

        OnnxException Damaged(string what) =>
            new($"{source}: sparse initializer '{values.Name}' of shape [{string.Join(", ", sparse.Dims)}] has {what}.");
    }
}
