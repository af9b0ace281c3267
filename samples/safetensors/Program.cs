// Reads packed weights from a safetensors file:  safetensors [PACKED.safetensors]
// The format is docs/format.md: values, owners, shapes and scales as plain tensors.
using Dovetail.Core.Packing;
using Dovetail.Core.Safetensors;

string path = args.ElementAtOrDefault(0) ?? "packed.safetensors";
using SafetensorsFile file = SafetensorsFile.Open(path);
foreach (SafetensorsTensor tensor in file.Tensors.Where(tensor => !tensor.IsPadding))
    Console.WriteLine($"{tensor.Name}: {tensor.DType} [{string.Join(", ", tensor.Shape)}]");

// The same file as packed tensors, every field checked; unpacking gives the dense matrix back.
foreach ((string name, PackedTensor packed) in PackedSafetensors.Read(file))
    if (packed is PackedTensor<float> floats)
    {
        float[] dense = Packer.Unpack(floats);
        Console.WriteLine($"{name}: {packed.Pattern} on {packed.Shape}, {packed.ByteCount:N0} bytes, {dense.Count(w => w != 0):N0} of "
            + $"{dense.Length:N0} weights");
    }
