using System.Collections.Immutable;
using System.Reflection.Emit;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using System.Reflection.PortableExecutable;

namespace Dovetail.Cli.Tests;

/// <summary>
/// Which namespaces of an assembly use which others of the house, as the compiler saw it: base types, members' signatures and
/// method bodies. Constants leave no trace in an assembly, so a use of a constant alone is not seen.
/// </summary>
internal sealed class NamespaceReferences : ISignatureTypeProvider<ImmutableHashSet<string>, object?>
{
    private static readonly ImmutableHashSet<string> None = [];
    private static readonly Dictionary<int, OpCode> Codes = typeof(OpCodes).GetFields()
        .Select(field => (OpCode)field.GetValue(null)!).ToDictionary(code => (ushort)code.Value & 0xFFFF);

    private readonly MetadataReader _reader;

    private NamespaceReferences(MetadataReader reader) => _reader = reader;

    /// <returns>(user, used), each pair once; the names of both start with "Dovetail".</returns>
    public static IReadOnlySet<(string From, string To)> Of(string assemblyPath)
    {
        using var file = new PEReader(File.OpenRead(assemblyPath));
        var references = new NamespaceReferences(file.GetMetadataReader());
        var pairs = new HashSet<(string, string)>();
        foreach (TypeDefinitionHandle handle in references._reader.TypeDefinitions)
        {
            string from = references.NamespaceOf(handle);
            if (!from.StartsWith("Dovetail", StringComparison.Ordinal))
                continue; // the compiler's own
            foreach (string to in references.UsedBy(handle, file))
                if (to != from && to.StartsWith("Dovetail", StringComparison.Ordinal))
                    pairs.Add((from, to));
        }

        return pairs;
    }

    private IEnumerable<string> UsedBy(TypeDefinitionHandle handle, PEReader file)
    {
        TypeDefinition type = _reader.GetTypeDefinition(handle);
        IEnumerable<string> used = Used(type.BaseType);
        foreach (InterfaceImplementationHandle implementation in type.GetInterfaceImplementations())
            used = used.Concat(Used(_reader.GetInterfaceImplementation(implementation).Interface));
        foreach (FieldDefinitionHandle field in type.GetFields())
            used = used.Concat(_reader.GetFieldDefinition(field).DecodeSignature(this, null));
        foreach (MethodDefinitionHandle methodHandle in type.GetMethods())
        {
            MethodDefinition method = _reader.GetMethodDefinition(methodHandle);
            used = used.Concat(All(method.DecodeSignature(this, null)));
            if (method.RelativeVirtualAddress == 0)
                continue;
            MethodBodyBlock body = file.GetMethodBody(method.RelativeVirtualAddress);
            if (!body.LocalSignature.IsNil)
                used = used.Concat(
                    _reader.GetStandaloneSignature(body.LocalSignature).DecodeLocalSignature(this, null).SelectMany(local => local));
            used = used.Concat(Tokens(body.GetILReader()).SelectMany(token => Used(token)));
        }

        return used;
    }

    private static List<EntityHandle> Tokens(BlobReader body)
    {
        var tokens = new List<EntityHandle>();
        while (body.RemainingBytes > 0)
        {
            int first = body.ReadByte();
            OpCode code = Codes[first == 0xFE ? 0xFE00 | body.ReadByte() : first];
            switch (code.OperandType)
            {
                case OperandType.InlineField or OperandType.InlineMethod or OperandType.InlineTok or OperandType.InlineType:
                    tokens.Add(MetadataTokens.EntityHandle(body.ReadInt32()));
                    break;
                case OperandType.InlineSwitch:
                    int targets = body.ReadInt32();
                    body.Offset += 4 * targets;
                    break;
                case OperandType.InlineNone:
                    break;
                case OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar:
                    body.Offset += 1;
                    break;
                case OperandType.InlineVar:
                    body.Offset += 2;
                    break;
                case OperandType.InlineI8 or OperandType.InlineR:
                    body.Offset += 8;
                    break;
                default:
                    body.Offset += 4;
                    break;
            }
        }

        return tokens;
    }

    private ImmutableHashSet<string> Used(EntityHandle handle) => handle.IsNil ? None : handle.Kind switch
    {
        HandleKind.TypeDefinition => [NamespaceOf((TypeDefinitionHandle)handle)],
        HandleKind.TypeReference => [NamespaceOf((TypeReferenceHandle)handle)],
        HandleKind.TypeSpecification => _reader.GetTypeSpecification((TypeSpecificationHandle)handle).DecodeSignature(this, null),
        HandleKind.MethodDefinition => Used(_reader.GetMethodDefinition((MethodDefinitionHandle)handle).GetDeclaringType()),
        HandleKind.FieldDefinition => Used(_reader.GetFieldDefinition((FieldDefinitionHandle)handle).GetDeclaringType()),
        HandleKind.MemberReference => Used(_reader.GetMemberReference((MemberReferenceHandle)handle).Parent),
        HandleKind.MethodSpecification => Used(_reader.GetMethodSpecification((MethodSpecificationHandle)handle).Method)
            .Union(_reader.GetMethodSpecification((MethodSpecificationHandle)handle).DecodeSignature(this, null)
                .SelectMany(argument => argument)),
        _ => None,
    };

    private static IEnumerable<string> All(MethodSignature<ImmutableHashSet<string>> signature) =>
        signature.ReturnType.Concat(signature.ParameterTypes.SelectMany(parameter => parameter));

    private string NamespaceOf(TypeDefinitionHandle handle)
    {
        TypeDefinition type = _reader.GetTypeDefinition(handle);
        return type.IsNested ? NamespaceOf(type.GetDeclaringType()) : _reader.GetString(type.Namespace);
    }

    private string NamespaceOf(TypeReferenceHandle handle)
    {
        TypeReference type = _reader.GetTypeReference(handle);
        return type.ResolutionScope.Kind == HandleKind.TypeReference
            ? NamespaceOf((TypeReferenceHandle)type.ResolutionScope)
            : _reader.GetString(type.Namespace);
    }

    ImmutableHashSet<string> IConstructedTypeProvider<ImmutableHashSet<string>>.GetArrayType(
        ImmutableHashSet<string> element, ArrayShape shape) => element;

    ImmutableHashSet<string> IConstructedTypeProvider<ImmutableHashSet<string>>.GetByReferenceType(ImmutableHashSet<string> element) =>
        element;

    ImmutableHashSet<string> ISignatureTypeProvider<ImmutableHashSet<string>, object?>.GetFunctionPointerType(
        MethodSignature<ImmutableHashSet<string>> signature) => [.. All(signature)];

    ImmutableHashSet<string> IConstructedTypeProvider<ImmutableHashSet<string>>.GetGenericInstantiation(
        ImmutableHashSet<string> generic, ImmutableArray<ImmutableHashSet<string>> arguments) =>
        generic.Union(arguments.SelectMany(argument => argument));

    ImmutableHashSet<string> ISignatureTypeProvider<ImmutableHashSet<string>, object?>.GetGenericMethodParameter(
        object? context, int index) => None;

    ImmutableHashSet<string> ISignatureTypeProvider<ImmutableHashSet<string>, object?>.GetGenericTypeParameter(
        object? context, int index) => None;

    ImmutableHashSet<string> ISignatureTypeProvider<ImmutableHashSet<string>, object?>.GetModifiedType(
        ImmutableHashSet<string> modifier, ImmutableHashSet<string> unmodified, bool isRequired) => unmodified;

    ImmutableHashSet<string> ISignatureTypeProvider<ImmutableHashSet<string>, object?>.GetPinnedType(ImmutableHashSet<string> element) =>
        element;

    ImmutableHashSet<string> IConstructedTypeProvider<ImmutableHashSet<string>>.GetPointerType(ImmutableHashSet<string> element) => element;

    ImmutableHashSet<string> ISimpleTypeProvider<ImmutableHashSet<string>>.GetPrimitiveType(PrimitiveTypeCode typeCode) => None;

    ImmutableHashSet<string> ISZArrayTypeProvider<ImmutableHashSet<string>>.GetSZArrayType(ImmutableHashSet<string> element) => element;

    ImmutableHashSet<string> ISimpleTypeProvider<ImmutableHashSet<string>>.GetTypeFromDefinition(
        MetadataReader reader, TypeDefinitionHandle handle, byte kind) => [NamespaceOf(handle)];

    ImmutableHashSet<string> ISimpleTypeProvider<ImmutableHashSet<string>>.GetTypeFromReference(
        MetadataReader reader, TypeReferenceHandle handle, byte kind) => [NamespaceOf(handle)];

    ImmutableHashSet<string> ISignatureTypeProvider<ImmutableHashSet<string>, object?>.GetTypeFromSpecification(
        MetadataReader reader, object? context, TypeSpecificationHandle handle, byte kind) =>
        reader.GetTypeSpecification(handle).DecodeSignature(this, context);
}
