using System.Runtime.InteropServices;
using System.Text;
using Dovetail.Core.Operators;

namespace Dovetail.Kernels.OnnxOperators.Interop;

/// <summary>The part of the C API that a shape inference callback uses; same table as <see cref="OrtApi"/>.</summary>
internal readonly unsafe struct OrtShapeInference(OrtApi api, nint* table, nint context)
{
    private const int OpAttributeInt = 1, OpAttributeInts = 2;

    private static long s_unknown;

    /// <summary>Dimensions of an input, −1 where unknown, with the names of symbolic ones (empty otherwise); null where the shape is
    /// unknown.</summary>
    public (long[] Dimensions, nint[] Symbols)? Input(int index)
    {
        nint info;
        api.Check(((delegate* unmanaged[Cdecl]<nint, nuint, nint*, nint>)table[268])(context, (nuint)index, &info));
        if (info == 0)
            return null;
        long[] dimensions = api.Dimensions(info);
        var symbols = new nint[dimensions.Length];
        fixed (nint* target = symbols)
            api.Check(((delegate* unmanaged[Cdecl]<nint, nint*, nuint, nint>)table[63])(info, target, (nuint)symbols.Length));
        return (dimensions, symbols);
    }

    public long[]? AttributeInts(string name) => Attribute(name, OpAttributeInts);

    /// <summary>The integers of an attribute, or its default.</summary>
    /// <exception cref="OperatorException">They are not allowed.</exception>
    public int[] Get(IntsAttribute attribute)
    {
        if (AttributeInts(attribute.Name) is not { } values)
            return [.. attribute.Default];
        return attribute.Fault(values) is { } fault
            ? throw new OperatorException($"The attribute '{attribute.Name}' {fault}.")
            : Array.ConvertAll(values, value => (int)value);
    }

    /// <summary>The integer of an attribute, or its default; a kernel checks it.</summary>
    public long Get(IntAttribute attribute) => Attribute(attribute.Name, OpAttributeInt) is [long value] ? value : attribute.Default;

    /// <summary>
    /// ONNX Runtime takes a dimension without a name for the number that stands there, also −1, and then finds that it contradicts what
    /// follows: an unknown one gets a name of its own, which no other dimension has.
    /// </summary>
    /// <param name="symbols">Names of the symbolic dimensions; 0 for those without. Used up by the call.</param>
    public void SetOutput(int index, ElementType type, long[] dimensions, nint[] symbols)
    {
        nint info;
        var own = new nint[symbols.Length];
        api.Check(((delegate* unmanaged[Cdecl]<nint*, nint>)table[57])(&info));
        try
        {
            api.Check(((delegate* unmanaged[Cdecl]<nint, int, nint>)table[58])(info, (int)type));
            fixed (long* dims = dimensions)
                api.Check(((delegate* unmanaged[Cdecl]<nint, long*, nuint, nint>)table[59])(info, dims, (nuint)dimensions.Length));
            byte noName = 0; // an empty string: releases before 1.31 do not take null
            for (int i = 0; i < symbols.Length; i++)
                if (symbols[i] == 0)
                    symbols[i] = dimensions[i] >= 0 ? (nint)(&noName) : own[i] = Name();
            fixed (nint* names = symbols)
                api.Check(((delegate* unmanaged[Cdecl]<nint, nint*, nuint, nint>)table[271])(info, names, (nuint)symbols.Length));
            api.Check(((delegate* unmanaged[Cdecl]<nint, nuint, nint, nint>)table[270])(context, (nuint)index, info));
        }
        finally
        {
            api.ReleaseTensorInfo(info);
            Array.ForEach(own, Marshal.FreeCoTaskMem);
        }

        static nint Name() => Marshal.StringToCoTaskMemUTF8($"dovetail_unknown_{Interlocked.Increment(ref s_unknown)}");
    }

    private long[]? Attribute(string name, int type)
    {
        nint attribute;
        fixed (byte* text = Encoding.UTF8.GetBytes(name + '\0'))
        {
            nint status = ((delegate* unmanaged[Cdecl]<nint, byte*, nint*, nint>)table[269])(context, text, &attribute);
            if (!api.Succeeded(status))
                return null;
        }

        var values = new long[16];
        nuint bytes;
        fixed (long* target = values)
        {
            nint status = ((delegate* unmanaged[Cdecl]<nint, int, void*, nuint, nuint*, nint>)table[272])(
                attribute, type, target, (nuint)values.Length * sizeof(long), &bytes);
            if (!api.Succeeded(status))
                throw new OperatorException($"The attribute '{name}' is of another type or too long, expected "
                    + $"{(type == OpAttributeInt ? "an integer" : $"a list of integers, at most {values.Length}")}.");
        }

        return values[..(int)(bytes / sizeof(long))];
    }
}
