using System.Runtime.InteropServices;
using System.Text;
using Dovetail.Core.Operators;

namespace Dovetail.Kernels.OnnxOperators.Interop;

/// <summary>
/// The functions of ONNX Runtime's C API that custom operators need, called through the table of whichever library hosts
/// the session. Positions and signatures are those of <c>OrtApi</c> in onnxruntime_c_api.h; the table only ever grows at
/// its end, and nothing behind the positions of release 1.<see cref="Version"/> is used.
/// </summary>
internal readonly unsafe struct OrtApi
{
    /// <summary>The oldest API version that has every function used here (shape inference and ParallelFor came last).</summary>
    public const int Version = 17;

    /// <summary>The release from which on an operator may say that its output takes the place of an input.</summary>
    public const int ReuseVersion = 18;

    /// <summary>ORT_FAIL and ORT_INVALID_ARGUMENT of OrtErrorCode.</summary>
    private const int Fail = 1, InvalidArgument = 2;

    private readonly nint* _table;

    private OrtApi(nint* table) => _table = table;

    /// <summary>The API of a library, by the <c>OrtApiBase*</c> that it hands out.</summary>
    /// <exception cref="OperatorException">It is older than <see cref="Version"/>.</exception>
    public static OrtApi Of(nint apiBase) =>
        TableOf(apiBase, Version) is var table and not 0
            ? From(table)
            : throw new OperatorException($"The operators of {OperatorSet.Domain} need ONNX Runtime 1.{Version} or newer; this is "
                + $"{VersionText(apiBase)}. Use a newer ONNX Runtime.");

    /// <summary>Version 1 of the API: enough to make a status in any release, however old.</summary>
    public static OrtApi OldestOf(nint apiBase) => From(TableOf(apiBase, 1));

    /// <summary>The API that ONNX Runtime handed to a callback.</summary>
    public static OrtApi From(nint api) => new((nint*)api);

    /// <summary>n of release 1.n.m; 0 where the library does not say.</summary>
    public static int MinorVersionOf(nint apiBase) =>
        VersionText(apiBase).Split('.') is ["1", var minor, ..] && int.TryParse(minor, out int number) ? number : 0;

    /// <summary>The table's address: the same for every session of a library.</summary>
    public nint Address => (nint)_table;

    public OrtShapeInference ShapeInference(nint context) => new(this, _table, context);

    public nint CreateStatus(string message, bool invalidArgument = true)
    {
        fixed (byte* text = Utf8(message))
            return ((delegate* unmanaged[Cdecl]<int, byte*, nint>)_table[0])(invalidArgument ? InvalidArgument : Fail, text);
    }

    public nint CreateCustomOpDomain(string domain)
    {
        nint result;
        fixed (byte* text = Utf8(domain))
            Check(((delegate* unmanaged[Cdecl]<byte*, nint*, nint>)_table[26])(text, &result));
        return result;
    }

    public void AddToDomain(nint domain, CustomOpTable* op) =>
        Check(((delegate* unmanaged[Cdecl]<nint, CustomOpTable*, nint>)_table[27])(domain, op));

    public void AddDomain(nint sessionOptions, nint domain) =>
        Check(((delegate* unmanaged[Cdecl]<nint, nint, nint>)_table[28])(sessionOptions, domain));

    public bool TryCreateEnvironment(string logName, out nint environment)
    {
        const int Fatal = 4;
        nint result = 0;
        fixed (byte* text = Utf8(logName))
        {
            bool created = Succeeded(((delegate* unmanaged[Cdecl]<int, byte*, nint*, nint>)_table[3])(Fatal, text, &result));
            environment = result;
            return created;
        }
    }

    public void ReleaseEnvironment(nint environment) => ((delegate* unmanaged[Cdecl]<nint, void>)_table[92])(environment);

    public bool TryCreateSessionOptions(int threads, out nint options)
    {
        nint result = 0;
        bool created = Succeeded(((delegate* unmanaged[Cdecl]<nint*, nint>)_table[10])(&result))
            && Succeeded(((delegate* unmanaged[Cdecl]<nint, int, nint>)_table[24])(result, threads));
        options = result;
        return created;
    }

    public void ReleaseSessionOptions(nint options) => ((delegate* unmanaged[Cdecl]<nint, void>)_table[100])(options);

    public bool TryCreateSession(nint environment, ReadOnlySpan<byte> model, nint options, out nint session)
    {
        nint result = 0;
        fixed (byte* bytes = model)
        {
            bool created = Succeeded(
                ((delegate* unmanaged[Cdecl]<nint, byte*, nuint, nint, nint*, nint>)_table[8])(
                    environment, bytes, (nuint)model.Length, options, &result));
            session = result;
            return created;
        }
    }

    public void ReleaseSession(nint session) => ((delegate* unmanaged[Cdecl]<nint, void>)_table[95])(session);

    public void* TensorData(nint value)
    {
        void* data;
        Check(((delegate* unmanaged[Cdecl]<nint, void**, nint>)_table[51])(value, &data));
        return data;
    }

    /// <summary>Dimensions and element type of a tensor.</summary>
    public (long[] Dimensions, ElementType Type) TensorShape(nint value)
    {
        nint info;
        Check(((delegate* unmanaged[Cdecl]<nint, nint*, nint>)_table[65])(value, &info));
        try
        {
            int type;
            Check(((delegate* unmanaged[Cdecl]<nint, int*, nint>)_table[60])(info, &type));
            return (Dimensions(info), (ElementType)type);
        }
        finally
        {
            ReleaseTensorInfo(info);
        }
    }

    /// <summary>Dimensions of a tensor description; −1 where unknown.</summary>
    public long[] Dimensions(nint info)
    {
        nuint count;
        Check(((delegate* unmanaged[Cdecl]<nint, nuint*, nint>)_table[61])(info, &count));
        var dimensions = new long[count];
        fixed (long* target = dimensions)
            Check(((delegate* unmanaged[Cdecl]<nint, long*, nuint, nint>)_table[62])(info, target, count));
        return dimensions;
    }

    public void ReleaseTensorInfo(nint info) => ((delegate* unmanaged[Cdecl]<nint, void>)_table[99])(info);

    /// <summary>Null where the attribute is absent.</summary>
    /// <exception cref="OperatorException">It is of another type.</exception>
    public long? AttributeInt(nint info, string name) => TryInt(info, name) ?? Absent<long>(info, name, "an integer");

    /// <inheritdoc cref="AttributeInt"/>
    public float? AttributeFloat(nint info, string name) => TryFloat(info, name) ?? Absent<float>(info, name, "a float");

    private long? TryInt(nint info, string name)
    {
        long value;
        fixed (byte* text = Utf8(name))
            return Succeeded(((delegate* unmanaged[Cdecl]<nint, byte*, long*, nint>)_table[86])(info, text, &value)) ? value : null;
    }

    private float? TryFloat(nint info, string name)
    {
        float value;
        fixed (byte* text = Utf8(name))
            return Succeeded(((delegate* unmanaged[Cdecl]<nint, byte*, float*, nint>)_table[85])(info, text, &value)) ? value : null;
    }

    // The getters fail alike for an attribute that is not there and one of another type; another getter tells which.
    private T? Absent<T>(nint info, string name, string expected)
        where T : struct
    {
        CheckAbsent(info, name, expected);
        return null;
    }

    private void CheckAbsent(nint info, string name, string expected)
    {
        string? found = TryInt(info, name) is not null ? "an integer"
            : TryFloat(info, name) is not null ? "a float"
            : HasSized(info, name, 87) ? "a string"
            : HasSized(info, name, 163) ? "a list of integers"
            : HasSized(info, name, 162) ? "a list of floats"
            : null;
        if (found is not null)
            throw new OperatorException($"The attribute '{name}' is {found}, expected {expected}.");
    }

    private bool HasSized(nint info, string name, int position)
    {
        nuint size = 0;
        fixed (byte* text = Utf8(name))
            return Succeeded(((delegate* unmanaged[Cdecl]<nint, byte*, void*, nuint*, nint>)_table[position])(info, text, null, &size));
    }

    /// <inheritdoc cref="AttributeInt"/>
    public string? AttributeString(nint info, string name)
    {
        var call = (delegate* unmanaged[Cdecl]<nint, byte*, byte*, nuint*, nint>)_table[87];
        fixed (byte* text = Utf8(name))
        {
            nuint size = 0;
            if (!Succeeded(call(info, text, null, &size)))
            {
                CheckAbsent(info, name, "a string");
                return null;
            }

            var buffer = new byte[size];
            fixed (byte* target = buffer)
                Check(call(info, text, target, &size));
            return Encoding.UTF8.GetString(buffer).TrimEnd('\0');
        }
    }

    /// <inheritdoc cref="AttributeInt"/>
    public long[]? AttributeInts(nint info, string name)
    {
        var call = (delegate* unmanaged[Cdecl]<nint, byte*, long*, nuint*, nint>)_table[163];
        fixed (byte* text = Utf8(name))
        {
            nuint size = 0;
            if (!Succeeded(call(info, text, null, &size)))
            {
                CheckAbsent(info, name, "a list of integers");
                return null;
            }

            var values = new long[size];
            fixed (long* target = values)
                Check(call(info, text, target, &size));
            return values;
        }
    }

    public string NodeName(nint info)
    {
        var call = (delegate* unmanaged[Cdecl]<nint, byte*, nuint*, nint>)_table[244];
        nuint size = 0;
        if (!Succeeded(call(info, null, &size)))
            return "";
        var buffer = new byte[size];
        fixed (byte* target = buffer)
            Check(call(info, target, &size));
        return Encoding.UTF8.GetString(buffer).TrimEnd('\0');
    }

    public int InputCount(nint info)
    {
        nuint count;
        Check(((delegate* unmanaged[Cdecl]<nint, nuint*, nint>)_table[230])(info, &count));
        return (int)count;
    }

    /// <summary>The name of a node's input; empty where an optional input is absent.</summary>
    public string InputName(nint info, int index)
    {
        var call = (delegate* unmanaged[Cdecl]<nint, nuint, byte*, nuint*, nint>)_table[232];
        nuint size = 0;
        if (!Succeeded(call(info, (nuint)index, null, &size)))
            return "";
        var buffer = new byte[size];
        fixed (byte* target = buffer)
            Check(call(info, (nuint)index, target, &size));
        return Encoding.UTF8.GetString(buffer).TrimEnd('\0');
    }

    /// <summary>The value of an input that is an initializer, or 0.</summary>
    public nint ConstantInput(nint info, int index)
    {
        int isConstant = 0;
        nint value = 0;
        Check(((delegate* unmanaged[Cdecl]<nint, nuint, int*, nint*, nint>)_table[249])(info, (nuint)index, &isConstant, &value));
        return isConstant != 0 ? value : 0;
    }

    /// <summary>The value of an input at run time; 0 where an optional input is absent.</summary>
    public nint Input(nint context, int index)
    {
        nint value;
        Check(((delegate* unmanaged[Cdecl]<nint, nuint, nint*, nint>)_table[90])(context, (nuint)index, &value));
        return value;
    }

    public int ContextInputCount(nint context)
    {
        nuint count;
        Check(((delegate* unmanaged[Cdecl]<nint, nuint*, nint>)_table[88])(context, &count));
        return (int)count;
    }

    public nint Output(nint context, int index, ReadOnlySpan<long> dimensions)
    {
        nint value;
        fixed (long* dims = dimensions)
            Check(((delegate* unmanaged[Cdecl]<nint, nuint, long*, nuint, nint*, nint>)_table[91])(
                context, (nuint)index, dims, (nuint)dimensions.Length, &value));
        return value;
    }

    /// <summary>Calls <paramref name="body"/>(data, i) for every i below <paramref name="total"/> on the session's pool, and
    /// waits.</summary>
    public void ParallelFor(nint context, delegate* unmanaged[Cdecl]<void*, nuint, void> body, int total, void* data) =>
        Check(((delegate* unmanaged[Cdecl]<nint, delegate* unmanaged[Cdecl]<void*, nuint, void>, nuint, nuint, void*, nint>)_table[274])(
            context, body, (nuint)total, 0, data));

    /// <exception cref="OperatorException">The status is an error; it is released.</exception>
    public void Check(nint status)
    {
        if (status == 0)
            return;
        string message = Marshal.PtrToStringUTF8(((delegate* unmanaged[Cdecl]<nint, nint>)_table[2])(status)) ?? "unknown error";
        ReleaseStatus(status);
        throw new OperatorException($"ONNX Runtime: {message}");
    }

    public bool Succeeded(nint status)
    {
        if (status == 0)
            return true;
        ReleaseStatus(status);
        return false;
    }

    private void ReleaseStatus(nint status) => ((delegate* unmanaged[Cdecl]<nint, void>)_table[93])(status);

    private static byte[] Utf8(string text) => Encoding.UTF8.GetBytes(text + '\0');

    private static nint TableOf(nint apiBase, uint version) => ((delegate* unmanaged[Cdecl]<uint, nint>)((nint*)apiBase)[0])(version);

    private static string VersionText(nint apiBase) =>
        Marshal.PtrToStringUTF8(((delegate* unmanaged[Cdecl]<nint>)((nint*)apiBase)[1])()) ?? "an unknown version";
}
