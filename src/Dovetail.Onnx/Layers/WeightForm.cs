namespace Dovetail.Onnx.Layers;

/// <summary>How a layer's tensor holds the matrix W[outputs, inputs], and what the layer does with it.</summary>
internal enum WeightForm
{
    /// <summary>A convolution: [outputs, channels, spatial…].</summary>
    Convolution,

    /// <summary>Gemm with transB: [outputs, inputs].</summary>
    OutputsFirst,

    /// <summary>Gemm and MatMul: [inputs, outputs].</summary>
    InputsFirst,

    /// <summary>MatMul with the constant on its left, W·X: [outputs, inputs].</summary>
    Left,

    /// <summary>ConvTranspose: [channels of the input, outputs of a group, spatial…].</summary>
    TransposedConvolution,

    /// <summary>W or R of an LSTM, a GRU or an RNN: [directions, gates·hidden, inputs], the directions' rows below each other.</summary>
    Recurrent,
}
