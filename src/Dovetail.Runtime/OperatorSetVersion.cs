using System.Text;
using Dovetail.Core.Operators;
using Dovetail.Kernels;

namespace Dovetail.Runtime;

/// <summary>
/// The version of Dovetail's operator set that a model imports, read from the file itself: ONNX Runtime hands any version of a custom
/// domain
/// to the operators without a word. Of the protobuf message only the outermost fields are walked: opset_import (8) is read, the rest
/// skipped.
/// Source: ONNX's onnx.proto, ModelProto and OperatorSetIdProto.
/// </summary>
internal static class OperatorSetVersion
{
    private const int OpsetImport = 8, Domain = 1, Version = 2;

    /// <param name="model">At its start; damage is left to ONNX Runtime to name.</param>
    /// <param name="name">What messages call the model.</param>
    /// <exception cref="OperatorException">The model is of a version that this one does not know.</exception>
    public static void Check(Stream model, string name)
    {
        if (Find(model) is { } found && !OperatorSet.Reads(found))
            throw new OperatorException(
                $"{name} uses version {found} of {OperatorSet.Domain}, and versions 1 to {OperatorSet.Version} are supported. Update "
                + "Dovetail, or pack its source again with this one.");
    }

    private static long? Find(Stream model)
    {
        while (Number(model) is { } key)
        {
            if ((key & 7) != 2)
            {
                if (!Skip(model, key))
                    return null;
                continue;
            }

            if (Number(model) is not { } length || length > (ulong)(model.Length - model.Position))
                return null;
            long end = model.Position + (long)length;
            if (key >> 3 == OpsetImport && Import(model, end) is { } version)
                return version;
            model.Position = end;
        }

        return null;
    }

    /// <returns>The version, where the import is of Dovetail's domain.</returns>
    private static long? Import(Stream model, long end)
    {
        string domain = "";
        long version = 0;
        while (model.Position < end && Number(model) is { } key)
        {
            if (key == (Domain << 3 | 2))
            {
                if (Number(model) is not { } length || length > (ulong)(end - model.Position) || length > 256)
                    return null;
                var bytes = new byte[length];
                model.ReadExactly(bytes);
                domain = Encoding.UTF8.GetString(bytes);
            }
            else if (key == (Version << 3))
            {
                version = (long)(Number(model) ?? 0);
            }
            else
            {
                return null;
            }
        }

        return domain == OperatorSet.Domain ? version : null;
    }

    private static bool Skip(Stream model, ulong key)
    {
        switch (key & 7)
        {
            case 0:
                return Number(model) is not null;
            case 1:
                model.Position += 8;
                return true;
            case 5:
                model.Position += 4;
                return true;
            default:
                return false;
        }
    }

    private static ulong? Number(Stream model)
    {
        ulong value = 0;
        for (int shift = 0; shift < 64; shift += 7)
        {
            int next = model.ReadByte();
            if (next < 0)
                return null;
            value |= (ulong)(next & 0x7F) << shift;
            if (next < 0x80)
                return value;
        }

        return null;
    }
}
