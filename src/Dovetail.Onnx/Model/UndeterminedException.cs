namespace Dovetail.Onnx.Model;

/// <summary>
/// What a rule needs is known at run time only, or an operator behind it is not known: no fault of the model. Shape inference takes it
/// for "the shape is not known".
/// </summary>
internal sealed class UndeterminedException(string message) : OnnxException(message);
