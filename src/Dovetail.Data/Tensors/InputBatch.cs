namespace Dovetail.Data.Tensors;

/// <summary>Several tensors of one shape, but for the outermost dimension, as one.</summary>
public static class InputBatch
{
    /// <exception cref="TensorFileException">They differ in type or inner dimensions.</exception>
    public static FileTensor Stack(IReadOnlyList<FileTensor> tensors, IReadOnlyList<string> files)
    {
        if (tensors is [var only])
            return only;
        FileTensor first = tensors[0];
        for (int i = 1; i < tensors.Count; i++)
            if (tensors[i].Shape.Length == 0 || tensors[i].Values.GetType() != first.Values.GetType() || !tensors[i].Shape.AsSpan(1)
                .SequenceEqual(first.Shape.AsSpan(1)))
                throw new TensorFileException(
                    $"'{files[i]}' is {tensors[i]} and '{files[0]}' {first}; files of one input must agree but for the first dimension.");
        Array values = Array.CreateInstance(first.Values.GetType().GetElementType()!, tensors.Sum(tensor => tensor.Values.LongLength));
        long at = 0;
        foreach (FileTensor tensor in tensors)
        {
            Array.Copy(tensor.Values, 0, values, at, tensor.Values.LongLength);
            at += tensor.Values.LongLength;
        }

        return new FileTensor(values, [tensors.Sum(tensor => tensor.Shape[0]), .. first.Shape.AsSpan(1)]);
    }

    /// <summary>Rows first … first + count − 1 of the outermost dimension.</summary>
    public static FileTensor Slice(FileTensor tensor, long first, long count)
    {
        if (first == 0 && (tensor.Shape.Length == 0 || count == tensor.Shape[0]))
            return tensor;
        long row = tensor.Shape[0] == 0 ? 0 : tensor.Values.LongLength / tensor.Shape[0];
        Array values = Array.CreateInstance(tensor.Values.GetType().GetElementType()!, row * count);
        Array.Copy(tensor.Values, row * first, values, 0, row * count);
        return new FileTensor(values, [count, .. tensor.Shape.AsSpan(1)]);
    }
}
