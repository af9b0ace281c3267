using Dovetail.Onnx.Model;

namespace Dovetail.Onnx.Tests.Model;

/// <summary>Sparse initializers are read as dense ones, and lying ones refused.</summary>
public sealed class SparseInitializersTests
{
    private static readonly float[] Dense = [0, 0, 0, 1.5f, 0, 0, 0, -2, 0, 0, 0, 3];

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void They_are_what_OnnxRuntime_computes_with(bool linear)
    {
        OnnxModel model = Model(
            TensorData.Create<float>("w", [3], [1.5f, -2, 3]),
            linear ? TensorData.Create<long>("", [3], [3, 7, 11]) : TensorData.Create<long>("", [3, 2], [0, 3, 1, 3, 2, 3]), 3, 4);
        byte[] file = model.ToBytes();
        OnnxModel read = OnnxModel.Parse(file);
        TensorProto tensor = read.FindInitializer("w")!;
        Assert.Equal(Dense, tensor.ToFloats());
        Assert.Equal([3L, 4], tensor.Dims);
        Assert.Empty(read.Graph.SparseInitializers);
        // ONNX Runtime reads the sparse file itself
        float[] x = Oracle.Uniform(1, 6, -1, 1);
        Oracle.AssertClose(Oracle.Run(OnnxModelOf(file), x, [2, 3])["y"].Data, Oracle.Run(read, x, [2, 3])["y"].Data, 1e-6f);
    }

    [Fact]
    public void Every_number_type_is_read()
    {
        Check(TensorData.Create<sbyte>("w", [1], [-3]), [0, 0xFD]);
        Check(TensorData.Create<long>("w", [1], [5]), [.. new byte[8], 5, .. new byte[7]]);
        Check(TensorData.Create<Half>("w", [1], [(Half)1]), [0, 0, 0x00, 0x3C]);
        Check(TensorData.Create<float>("w", [1], [1]), [0, 0, 0, 0, 0, 0, 0x80, 0x3F]);

        static void Check(TensorProto value, byte[] bytes) =>
            Assert.Equal(
                bytes, OnnxModel.Parse(Model(value, TensorData.Create<long>("", [1], [1]), 2).ToBytes()).FindInitializer("w")!.ReadBytes());
    }

    [Theory]
    [InlineData("order", "has element 1 at 3, expected ascending positions below 12.")]
    [InlineData("range", "has element 1 at 12, expected ascending positions below 12.")]
    [InlineData("negative", "has element 0 at -1, expected ascending positions below 12.")]
    [InlineData("coordinate", "has element 0 at -1, expected ascending positions below 12.")]
    [InlineData("count", "has '' int64[3] as indices, expected [2] or [2, 2].")]
    [InlineData("rank", "has '' int64[2, 3] as indices, expected [2] or [2, 2].")]
    [InlineData("type", "has indices of type Int32, expected Int64.")]
    [InlineData("huge", "has 2 non-zeros and 4000000000 bytes when dense, expected at most 67110400; save it dense.")]
    [InlineData("external", "has its data in a file of its own, and the model is no file here; load it from its folder.")]
    [InlineData("nothing", "has a sparse initializer without values or indices. The file is damaged.")]
    public void Lying_ones_are_refused(string what, string message)
    {
        TensorProto values = TensorData.Create<float>("w", [2], [1, 2]), places = TensorData.Create<long>("", [2], [3, 4]);
        OnnxModel model = what switch
        {
            "order" => Model(values, TensorData.Create<long>("", [2], [3, 3]), 3, 4),
            "range" => Model(values, TensorData.Create<long>("", [2], [3, 12]), 3, 4),
            "negative" => Model(values, TensorData.Create<long>("", [2], [-1, 3]), 3, 4),
            "coordinate" => Model(values, TensorData.Create<long>("", [2, 2], [0, 4, 1, 0]), 3, 4),
            "count" => Model(values, TensorData.Create<long>("", [3], [1, 2, 3]), 3, 4),
            "rank" => Model(values, TensorData.Create<long>("", [2, 3], new long[6]), 3, 4),
            "type" => Model(values, TensorData.Create<int>("", [2], [1, 2]), 3, 4),
            "huge" => Model(values, places, 100_000, 10_000),
            "external" => Model(values.WithExternalData("w.data", 0, 8), places, 3, 4),
            _ => Model(values, null, 3, 4),
        };
        byte[] file = model.ToBytes();
        long before = GC.GetAllocatedBytesForCurrentThread();
        string found = Assert.Throws<OnnxException>(() => OnnxModel.Parse(file)).Message;
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 20);
        Assert.EndsWith(message, found);
    }

    [Fact]
    public void Very_sparse_ones_are_read_as_long_as_a_model_has_few_of_them()
    {
        const int rows = 4000, columns = 1000; // 16 MB dense
        TensorProto values = TensorData.Create<float>("w", [2], [1, 2]), places = TensorData.Create<long>("", [2], [3, rows * columns - 1]);
        OnnxModel read = OnnxModel.Parse(Model(values, places, rows, columns).ToBytes());
        float[] dense = read.FindInitializer("w")!.ToFloats();
        Assert.Equal((1f, 2f, 3f), (dense[3], dense[^1], dense.Sum()));
        OnnxModel many = Model(values, places, rows, columns);
        for (int i = 0; i < 4; i++)
            many.Graph.SparseInitializers.Add(many.Graph.SparseInitializers[0]);
        Assert.Contains("save it dense", Assert.Throws<OnnxException>(() => OnnxModel.Parse(many.ToBytes())).Message);
    }

    [Fact]
    public void Values_and_places_may_stand_in_a_file_beside()
    {
        using var folder = new TemporaryFolder();
        TensorProto values = TensorData.Create<float>("w", [2], [5, 6]), places = TensorData.Create<long>("", [2], [3, 8]);
        File.WriteAllBytes(folder.File("w.data"), [.. values.RawData!, .. places.RawData!]);
        OnnxModel model = Model(values.WithExternalData("w.data", 0, 8), places.WithExternalData("w.data", 8, 16), 3, 4);
        File.WriteAllBytes(folder.File("m.onnx"), model.ToBytes());
        Assert.Equal([0, 0, 0, 5, 0, 0, 0, 0, 6, 0, 0, 0], OnnxModel.Load(folder.File("m.onnx")).FindInitializer("w")!.ToFloats());
    }

    // y = x·w, as a graph whose initializer was never made dense
    private static OnnxModel Model(TensorProto values, TensorProto? indices, params long[] dims)
    {
        OnnxModel model = Graphs.Of(
            [2, dims[0]], [2, dims.Length > 1 ? dims[1] : dims[0]], [new NodeProto("MatMul", "m", ["x", "w"], ["y"])], []);
        var sparse = new SparseTensorProto { Values = values, Indices = indices };
        sparse.Dims.AddRange(dims);
        model.Graph.SparseInitializers.Add(sparse);
        return model;
    }

    private static OnnxModel OnnxModelOf(byte[] file) => new(ProtoBuf.Serializer.Deserialize<ModelProto>((ReadOnlyMemory<byte>)file));
}
