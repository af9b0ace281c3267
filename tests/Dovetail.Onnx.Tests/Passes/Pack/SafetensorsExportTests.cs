using Dovetail.Core.Packing;
using Dovetail.Core.Patterns;
using Dovetail.Core.Safetensors;
using Dovetail.Onnx.Layers;
using Dovetail.Onnx.Model;
using Dovetail.Onnx.Passes.Pack;
using Dovetail.Onnx.Passes.Quantize;

namespace Dovetail.Onnx.Tests.Passes.Pack;

public sealed class SafetensorsExportTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("dovetail-onnx-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void The_file_holds_every_weight_of_the_packed_model(bool int8)
    {
        OnnxModel sparse = Graphs.Sparse("fashion-cnn", 3, "1:16");
        if (int8)
            sparse = QuantizationPass.Quantize(sparse, QuantizationPass.TensorsToCalibrate(sparse).ToDictionary(t => t, _ => (-1f, 3f)));
        OnnxModel packed = PackingPass.Pack(sparse, ComplementaryPattern.Parse("1:16")).Model;
        string path = Path.Combine(_folder, "m.safetensors");
        SafetensorsExport.Write(packed, path);

        SortedDictionary<string, PackedTensor> read = PackedSafetensors.Read(path);
        Assert.Equal(["block1.conv1", "block1.conv2", "down1", "down2"], read.Keys);
        foreach ((string name, PackedTensor weights) in read)
        {
            PackedTensor want = PackedWeights.Read(packed, packed.FindNode(name)!);
            Assert.Equal(want.Owners, weights.Owners);
            Assert.Equal(want.ValueBytes.ToArray(), weights.ValueBytes.ToArray());
            Assert.Equal(want.Scales, weights.Scales);
        }

        using SafetensorsFile file = SafetensorsFile.Open(path);
        Assert.Equal("fashion-cnn", file.Metadata["model"]);
        string head = int8 ? "head.weight.quantized" : "head.weight";
        Assert.Equal(packed.FindInitializer(head)!.ReadBytes(), file.Bytes(file.Get(head)).ToArray());
        Assert.Equal(
            packed.FindInitializer("stem.bias" + (int8 ? ".quantized" : ""))!.ReadBytes(),
            file.Bytes(file.Get("stem.bias" + (int8 ? ".quantized" : ""))).ToArray());
    }

    [Fact]
    public void A_model_without_packed_layers_is_refused() =>
        Assert.Contains(
            "no packed layer",
            Assert.Throws<OnnxException>(() => SafetensorsExport.Write(Graphs.Trained("mlp", 1), Path.Combine(_folder, "m"))).Message);
}
