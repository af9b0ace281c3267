using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;

namespace Dovetail.Kernels.MachineCode;

/// <summary>The emitted functions of this process, each made when it is first wanted and kept until the process ends.</summary>
internal sealed class TileFunctions
{
    private readonly ConcurrentDictionary<TileVariant, Lazy<ExecutableMemory>> _functions = new();

    private TileFunctions() { }

    public static TileFunctions Shared { get; } = new();

    private static readonly Lazy<bool> MayExecute = new(() =>
    {
        if (RuntimeInformation.ProcessArchitecture != Architecture.X64 || OperatingSystem.IsWindows())
            return false;
        using ExecutableMemory? memory = ExecutableMemory.TryCreate([0xC3]); // ret
        return memory is not null;
    });

    /// <summary>True where this CPU has the instructions and the system lets a process make code.</summary>
    public static bool IsSupported(TileArithmetic arithmetic) =>
        Avx512F.IsSupported && Avx512BW.IsSupported && arithmetic switch
        {
            TileArithmetic.Float32Window16 or TileArithmetic.Float32Window32 => true,
            TileArithmetic.BFloat16Window32 => (X86Base.CpuId(7, 1).Eax & 1 << 5) != 0,
            _ => Avx512Vbmi.IsSupported && (X86Base.CpuId(7, 0).Ecx & 1 << 11) != 0,
        } && MayExecute.Value;

    /// <summary>The address of a <c>void (TileArguments*)</c>.</summary>
    /// <exception cref="KernelException">The system refused pages for code.</exception>
    public nint AddressOf(TileVariant tile) =>
        _functions.GetOrAdd(tile, static wanted => new Lazy<ExecutableMemory>(() =>
            ExecutableMemory.TryCreate(TileEmitter.Emit(wanted)) ??
            throw new KernelException($"The system refused memory for machine code ({wanted}). Set DOTNET_EnableAVX512=0 or choose another "
                + $"kernel with {Dispatch.KernelRegistry.OverrideVariable}."),
            LazyThreadSafetyMode.PublicationOnly)) // a refusal is not remembered
        .Value.Address;
}
