using Dovetail.Onnx.Model;
using Dovetail.Runtime;
using Microsoft.ML.OnnxRuntime;

namespace Dovetail.Benchmarking;

/// <summary>
/// The operator that ONNX Runtime itself runs for a one-node model, in the layout that it wants, without the nodes that
/// reorder to that layout and back; a network has those only at its borders.
/// 1. ONNX Runtime optimizes the model as it always does and writes what it made of it: ReorderInput, Conv of
///    com.microsoft.nchwc with reordered weights, ReorderOutput; or Transpose, QLinearConv of com.microsoft, Transpose.
/// 2. The convolution is cut out; what it reads becomes the input, in the blocked (NCHWc) or NHWC layout.
/// </summary>
internal static class OptimizedOperator
{
    private const string Blocked = "com.microsoft.nchwc", Contributed = "com.microsoft";

    /// <summary>The convolution alone and what to call it; null where ONNX Runtime leaves the layout as it is.</summary>
    /// <param name="convolutionModel">One convolution, with what stands around it in int8's QDQ form.</param>
    /// <param name="channelsLast">Its input as [batch, H, W, C].</param>
    /// <param name="groups">Convolution groups.</param>
    public static (byte[] Model, string Name)? Extract(byte[] convolutionModel, IReadOnlyList<long> channelsLast, int groups)
    {
        OnnxModel model = Optimize(convolutionModel);
        if (model.Nodes.Where(node => node.OpType is "Conv" or "FusedConv" or "QLinearConv").ToArray() is not [var node]
            || model.Nodes.Count == 1)
            return null;
        if (model.FindProducer(node.Inputs[0]) is null || Input(model, node, channelsLast, groups) is not { } dimensions)
            return null;
        OnnxType type = node.OpType == "QLinearConv" ? OnnxType.UInt8 : OnnxType.Float;
        model.Graph.Inputs.Clear();
        model.Graph.Outputs.Clear();
        model.Graph.ValueInfos.Clear();
        model.Nodes.RemoveAll(other => other != node);
        model.Graph.Inputs.Add(ValueInfoProto.Tensor(node.Inputs[0], type, [.. dimensions.Select(d => (Dim)d)]));
        model.Graph.Outputs.Add(ValueInfoProto.Tensor(node.Outputs[0], type, Dim.Unknown, Dim.Unknown, Dim.Unknown, Dim.Unknown));
        model.RemoveUnusedInitializers();
        model.CheckGraph();
        return (model.ToBytes(), node.Domain == Blocked ? "Conv NCHWc" : $"{node.OpType} NHWC");
    }

    private static IReadOnlyList<long>? Input(OnnxModel model, NodeProto node, IReadOnlyList<long> channelsLast, int groups)
    {
        if (node.Domain == Contributed && node.GetInt("channels_last", 0) == 1)
            return channelsLast;
        // Reordered weights state the channels with what fills the last block; with convolution groups they do not.
        return node.Domain == Blocked && groups == 1
            ? [channelsLast[0], model.Constant(node.Inputs[1], node).Dims[1], channelsLast[1], channelsLast[2]]
            : null;
    }

    private static OnnxModel Optimize(byte[] model)
    {
        var folder = new DirectoryInfo(Core.Files.TemporaryFolders.Create("dovetail-bench"));
        try
        {
            string path = Path.Combine(folder.FullName, "optimized.onnx");
            using SessionOptions options = DovetailSession.ToSessionOptions(new DovetailSessionOptions(1));
            options.OptimizedModelFilePath = path;
            using (new InferenceSession(model, options))
                return OnnxModel.Load(path);
        }
        catch (OnnxRuntimeException error)
        {
            throw new BenchmarkException($"ONNX Runtime does not write its optimized form of a convolution: {error.Message}", error);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }
}
