using Dovetail.Onnx.Model;

namespace Dovetail.Onnx.Passes.Normalize;

/// <summary>
/// Folds BatchNormalization into the convolution before it.
/// 1. y = s·(x − μ)/√(v + ε) + b with x = W∗z + c is y = (W·f)∗z + (c − μ)·f + b, f = s/√(v + ε) per output.
/// 2. f is computed in double precision and W·f rounded once; a weight of zero stays exactly zero.
/// 3. The convolution takes over the normalisation's output, so tensor names behind it stay.
/// </summary>
public static class BatchNormFolding
{
    /// <summary>Folds in place where the normalisation is the convolution's only reader; returns how many were folded.</summary>
    public static int Fold(OnnxModel model)
    {
        ArgumentNullException.ThrowIfNull(model);
        int folded = 0;
        foreach (NodeProto norm in model.Nodes.Where(n => n.Is("BatchNormalization")).ToList())
        {
            if (!Enumerable.Range(0, 5).All(norm.HasInput))
                throw new OnnxException($"{norm} lacks one of its five inputs.");
            if (model.FindProducer(norm.Inputs[0]) is not { } conv || !conv.Is("Conv")
                || model.SingleConsumer(conv.Outputs[0]) != norm
                || model.FindInitializer(conv.Input(1)) is not { DataType: OnnxType.Float, Dims: [> 0, _, _, ..] } weight
                || (conv.HasInput(2) && model.FindInitializer(conv.Inputs[2]) is not { DataType: OnnxType.Float })
                || Enumerable.Range(1, 4).Any(i => model.FindConstant(norm.Inputs[i]) is null)
                || norm.GetInt("training_mode", 0) != 0
                || norm.GetInt("spatial", 1) == 0 // before version 9: a mean for each number of an image
                || norm.Outputs.Count(o => o.Length > 0) != 1)
                continue;
            FoldInto(model, conv, weight, norm);
            folded++;
        }

        model.RemoveUnusedInitializers();
        return folded;
    }

    private static void FoldInto(OnnxModel model, NodeProto conv, TensorProto weight, NodeProto norm)
    {
        float[] scale = Parameter(1), shift = Parameter(2), mean = Parameter(3), variance = Parameter(4);
        float epsilon = norm.GetFloat("epsilon", 1e-5f);
        int outputs = (int)weight.Dims[0];
        if (new[] { scale, shift, mean, variance }.Any(p => p.Length != outputs))
            throw new OnnxException($"{norm} has parameters of another length than the {outputs} outputs of {conv}.");
        float[] weights = weight.ToFloats(), bias = new float[outputs];
        float[]? before = conv.HasInput(2) ? model.Constant(conv.Inputs[2], conv).ToFloats() : null;
        int perOutput = weights.Length / outputs;
        for (int m = 0; m < outputs; m++)
        {
            double factor = scale[m] / Math.Sqrt((double)variance[m] + epsilon);
            bias[m] = (float)(((before?[m] ?? 0) - (double)mean[m]) * factor + shift[m]);
            for (int i = m * perOutput; i < (m + 1) * perOutput; i++)
                weights[i] = weights[i] == 0 ? 0 : (float)(weights[i] * factor);
        }

        // Initializers may have other readers: write new ones unless this node is the only one.
        conv.Inputs[1] = Replace(model, conv, weight.Name, $"{conv.Name}.weight", weight.Dims, weights);
        string biasName = Replace(model, conv, conv.Input(2), $"{conv.Name}.bias", [outputs], bias);
        if (conv.Inputs.Count > 2)
            conv.Inputs[2] = biasName;
        else
            conv.Inputs.Add(biasName);
        conv.Outputs[0] = norm.Outputs[0];
        model.Nodes.Remove(norm);

        float[] Parameter(int index) => model.Constant(norm.Inputs[index], norm).ToFloats();
    }

    private static string Replace(OnnxModel model, NodeProto reader, string old, string wanted, IEnumerable<long> dims, float[] values)
    {
        bool own = old.Length > 0 && model.Owns(old) && !model.IsOutput(old) && model.Consumers(old) is [var only]
            && only == reader;
        if (own)
        {
            model.FindInitializer(old)!.Write<float>(values);
            return old;
        }

        string name = model.UniqueName(wanted);
        model.AddInitializer(TensorData.Create<float>(name, [.. dims], values));
        return name;
    }
}
