using Dovetail.Kernels;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Dovetail.Runtime;

/// <summary>Reads inner tensors of a model for one input.</summary>
public static class ActivationCapture
{
    /// <param name="modelWithOutputs">A model whose outputs include the tensors (GraphSlicer.WithOutputs).</param>
    /// <param name="tensorNames">Outputs of the model, or its input.</param>
    /// <param name="image">The model's first input.</param>
    /// <param name="dimensions">Of the input, e.g. [1, 1, 28, 28].</param>
    /// <param name="exactIntegers">
    /// False: ONNX Runtime's own int8 operators as they run where nothing is asked for (<see cref="DovetailSessionOptions"/>).
    /// </param>
    /// <exception cref="OperatorException">A tensor is no output, or neither float nor uint8.</exception>
    public static IReadOnlyDictionary<string, CapturedTensor> Capture(
        byte[] modelWithOutputs, IReadOnlyCollection<string> tensorNames, float[] image, IReadOnlyList<long> dimensions,
        bool exactIntegers = true)
    {
        ArgumentNullException.ThrowIfNull(tensorNames);
        ArgumentNullException.ThrowIfNull(image);
        using var session = DovetailSession.Create(modelWithOutputs, new DovetailSessionOptions(1, ExactIntegers: exactIntegers));
        string[] names = [.. tensorNames.Where(name => name != session.InputName).Distinct()];
        Calibration.CheckOutputs(session, names);
        var captured = new Dictionary<string, CapturedTensor>();
        if (tensorNames.Contains(session.InputName))
            captured[session.InputName] = new CapturedFloats(session.InputName, [.. dimensions], (float[])image.Clone());
        if (names.Length == 0)
            return captured;
        using OrtValue input = OrtValue.CreateTensorValueFromMemory(image, [.. dimensions]);
        using var options = new RunOptions();
        using IDisposableReadOnlyCollection<OrtValue> outputs = session.RunChecked(options, [session.InputName], [input], names);
        foreach ((string name, OrtValue value) in names.Zip(outputs))
        {
            OrtTensorTypeAndShapeInfo info = value.GetTensorTypeAndShape();
            captured[name] = info.ElementDataType switch
            {
                TensorElementType.Float => new CapturedFloats(name, info.Shape, value.GetTensorDataAsSpan<float>().ToArray()),
                TensorElementType.UInt8 => new CapturedBytes(name, info.Shape, value.GetTensorDataAsSpan<byte>().ToArray()),
                var other => throw new OperatorException($"The tensor '{name}' has elements of type {other}, expected float or uint8."),
            };
        }

        return captured;
    }
}
