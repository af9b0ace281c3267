using System.Diagnostics;
using Iced.Intel;
using static Dovetail.Kernels.MachineCode.TileRegisters;
using static Iced.Intel.AssemblerRegisters;

namespace Dovetail.Kernels.MachineCode;

/// <summary>
/// Writes the register tile of the selector kernels as x86-64 machine code with AVX-512: instructions that .NET does
/// not expose (<c>vpdpbusd</c>, <c>vdpbf16ps</c>), every register in use, and no call to the end of a layer's outputs.
/// The function is <c>void (TileArguments*)</c> in the System V calling convention.
/// 1. For each block of outputs, sums start from constants (the bias).
/// 2. For each tap, take the tile's row pointers; for each window of the tap, load one window a pixel, and for each
///    vector of outputs select by the owners and multiply by the weights. Weights and owners are read in order.
/// 3. A tile of few pixels has too few sums to hide the latency of an addition: neighbouring windows get sums of their
///    own, added at the end.
/// 4. Sums leave the registers with residual, bounds and requantization (<see cref="TileEnd"/>).
/// Registers: vectors as in <see cref="TileRegisters"/>, 28–30 inputs and selected inputs. rdi arguments, rsi row pointers,
/// rdx weights, rcx owners, r8 next offset, rax offset, r9 windows left, seven row pointers, r15 the others in turn.
/// </summary>
internal sealed class TileEmitter
{
    /// <summary>Pixels of the widest tile: 12 × 2 sums, and what is left holds two vectors of weights and owners.</summary>
    public const int MaxPixels = 12;

    public const int MaxVectors = 2;

    /// <summary>Where windows differ in their steps, the last two hold the table of steps and the steps left.</summary>
    private static readonly AssemblerRegister64[] AllRowRegisters = [rbx, rbp, r10, r11, r12, r13, r14];

    private readonly Assembler _code = new(64);
    private readonly TileVariant _tile;
    private readonly TileRegisters _registers;
    private readonly TileEnd _end;

    private TileEmitter(TileVariant tile)
    {
        Debug.Assert(tile.Pixels is >= 1 and <= MaxPixels && tile.Vectors is 1 or MaxVectors && (tile.Steps >= 1 || tile.Vectors == 1));
        _tile = tile;
        _registers = new TileRegisters(tile);
        _end = new TileEnd(_code, tile, _registers);
    }

    private bool IsRagged => _tile.Steps == 0;

    private ReadOnlySpan<AssemblerRegister64> RowRegisters => AllRowRegisters.AsSpan(0, AllRowRegisters.Length - (IsRagged ? 2 : 0));

    private bool IsQuantized => _tile.Arithmetic == TileArithmetic.QuantizedWindow64;

    /// <summary>Bytes of a vector of weights in memory.</summary>
    private int WeightBytes => _tile.Storage == WeightStorage.AsMultiplied ? VectorBytes : VectorBytes / 2;

    private int StepsOfWindow => _tile.Steps * _tile.Vectors;

    /// <summary>Owners in the bytes of one index (<see cref="UniformTileStreams"/>).</summary>
    private int OwnersPerIndex => _tile.Arithmetic switch
    {
        TileArithmetic.Float32Window16 or TileArithmetic.Float32Window32 => 4,
        TileArithmetic.BFloat16Window32 => 2,
        _ => 1,
    };

    private int WindowsPerGroup => UniformTileStreams.WindowsPerGroup(OwnersPerIndex, StepsOfWindow);

    /// <summary>Windows of one pass of the innermost loop, as far as their sums may be apart (3).</summary>
    private int WindowsAtOnce => (_registers.WindowsApart + WindowsPerGroup - 1) / WindowsPerGroup * WindowsPerGroup;

    /// <summary>The function's bytes, independent of where they are placed.</summary>
    public static byte[] Emit(TileVariant tile)
    {
        var emitter = new TileEmitter(tile);
        emitter.EmitFunction();
        using var stream = new MemoryStream();
        emitter._code.Assemble(new StreamCodeWriter(stream), 0);
        return stream.ToArray();
    }

    private void EmitFunction()
    {
        AssemblerRegister64[] saved = [rbx, rbp, r12, r13, r14, r15];
        foreach (AssemblerRegister64 register in saved)
            _code.push(register);
        if (_tile.IsPartial)
            _code.kmovw(k1, __dword_ptr[rdi + OffsetOf(nameof(TileArguments.LaneMask))]);
        if (_tile.Storage == WeightStorage.BFloat16)
        {
            _code.mov(eax, 0xAAAAAAAA); // the high word of every lane
            _code.kmovd(k2, eax);
        }

        _code.mov(rdx, Field(nameof(TileArguments.Weights)));
        _code.mov(rcx, Field(nameof(TileArguments.Owners)));
        if (IsRagged)
            _code.mov(r13, Field(nameof(TileArguments.Steps)));
        Label block = _code.CreateLabel(), tap = _code.CreateLabel();
        _code.Label(ref block);
        EmitStart();
        _code.mov(rsi, Field(nameof(TileArguments.Rows)));
        _code.mov(rax, Field(nameof(TileArguments.Taps)));
        _code.push(rax);
        _code.Label(ref tap);
        EmitTap();
        _code.dec(__qword_ptr[rsp]);
        _code.jne(tap);
        _code.pop(rax);
        _end.Emit();
        _code.dec(__qword_ptr[rdi + OffsetOf(nameof(TileArguments.Blocks))]);
        _code.jne(block);
        _code.vzeroupper();
        for (int i = saved.Length - 1; i >= 0; i--)
            _code.pop(saved[i]);
        _code.ret();
        _end.EmitConstants();
    }

    private void EmitStart()
    {
        _code.mov(rax, Field(nameof(TileArguments.Starts)));
        for (int pixel = 0; pixel < _tile.Pixels; pixel++)
            for (int v = 0; v < _tile.Vectors; v++)
                _code.vmovups(_registers.Sum(0, pixel, v), __zmmword_ptr[rax + v * VectorBytes]);
        for (int i = _registers.SumsOfWindow; i < _registers.WindowsApart * _registers.SumsOfWindow; i++)
            _code.vpxord(Zmm[i], Zmm[i], Zmm[i]);
    }

    private void EmitTap()
    {
        for (int pixel = 0; pixel < Math.Min(_tile.Pixels, RowRegisters.Length); pixel++)
            _code.mov(RowRegisters[pixel], __[rsi + pixel * 8]);
        _code.mov(r8, Field(nameof(TileArguments.FirstOffset)));
        _code.mov(r9, Field(nameof(TileArguments.Windows)));
        if (IsRagged)
        {
            EmitRaggedWindows();
            return;
        }

        EmitWindows(WindowsAtOnce);
        if (WindowsAtOnce > WindowsPerGroup)
            EmitWindows(WindowsPerGroup);
        if (WindowsPerGroup > 1)
            EmitWindows(1);
        _code.add(rsi, _tile.Pixels * 8);
    }

    /// <summary>All windows of a tap, each with the steps that the table has for it.</summary>
    private void EmitRaggedWindows()
    {
        Label window = _code.CreateLabel(), step = _code.CreateLabel(), empty = _code.CreateLabel();
        _code.Label(ref window);
        _code.movzx(r14d, __byte_ptr[r13]);
        _code.inc(r13);
        EmitOffset();
        _code.test(r14d, r14d);
        _code.je(empty);
        _code.Label(ref step);
        _code.vmovups(Weights(0), __zmmword_ptr[rdx]);
        if (IsQuantized)
            _code.vmovdqu8(Owners(0), __zmmword_ptr[rcx]);
        else
            _code.vpmovzxbd(Owners(0), __xmmword_ptr[rcx]);
        for (int pixel = 0; pixel < _tile.Pixels; pixel++)
            EmitProducts(0, pixel);
        _code.add(rdx, VectorBytes);
        _code.add(rcx, IsQuantized ? VectorBytes : Lanes);
        _code.dec(r14d);
        _code.jne(step);
        _code.Label(ref empty);
        _code.dec(r9);
        _code.jne(window);
        _code.add(rsi, _tile.Pixels * 8);
    }

    /// <summary>rax: where this window lies behind the row pointers; r8: the next one.</summary>
    private void EmitOffset()
    {
        _code.mov(rax, r8);
        _code.cmp(rax, Field(nameof(TileArguments.LastOffset)));
        _code.cmovg(rax, Field(nameof(TileArguments.LastOffset)));
        _code.add(r8, Field(nameof(TileArguments.WindowStride)));
    }

    /// <summary>While <paramref name="count"/> windows are left: does as many.</summary>
    private void EmitWindows(int count)
    {
        Label loop = _code.CreateLabel(), rest = _code.CreateLabel();
        _code.sub(r9, count);
        _code.jl(rest);
        _code.Label(ref loop);
        for (int window = 0; window < count; window++)
            EmitWindow(window);
        _code.add(rdx, count * StepsOfWindow * WeightBytes);
        _code.add(rcx, UniformTileStreams.OwnerBytes(OwnersPerIndex, count * StepsOfWindow));
        _code.sub(r9, count);
        _code.jge(loop);
        _code.Label(ref rest);
        _code.add(r9, count);
    }

    /// <summary>The <paramref name="window"/>-th of the windows at rdx and rcx.</summary>
    private void EmitWindow(int window)
    {
        EmitOffset();
        for (int step = 0; step < _tile.Steps; step++)
        {
            for (int v = 0; v < _tile.Vectors; v++)
            {
                int at = window * StepsOfWindow + step * _tile.Vectors + v;
                EmitWeights(v, at);
                EmitOwners(v, at);
            }

            for (int pixel = 0; pixel < _tile.Pixels; pixel++)
                EmitProducts(window % _registers.WindowsApart, pixel);
        }
    }

    /// <summary>Brings the <paramref name="at"/>-th vector of weights at rdx into its register, as wide as it is multiplied.</summary>
    private void EmitWeights(int vector, int at)
    {
        AssemblerRegisterZMM weights = Weights(vector);
        switch (_tile.Storage)
        {
            case WeightStorage.Float16:
                _code.vcvtph2ps(weights, __ymmword_ptr[rdx + at * WeightBytes]);
                break;
            case WeightStorage.BFloat16 when _tile.Vectors == 1:
                _code.vpmovzxwd(weights, __ymmword_ptr[rdx + at * WeightBytes]);
                _code.vpslld(weights, weights, 16);
                break;
            case WeightStorage.BFloat16 when vector == 0:
                _code.vpslld(weights, __zmmword_ptr[rdx + at * WeightBytes], 16);
                break;
            case WeightStorage.BFloat16:
                _code.vmovdqu16(weights.k2.z, __zmmword_ptr[rdx + (at - 1) * WeightBytes]);
                break;
            default:
                _code.vmovups(weights, __zmmword_ptr[rdx + at * WeightBytes]);
                break;
        }
    }

    /// <summary>
    /// Brings the owners of the <paramref name="at"/>-th vector of weights at rdx to the low bits of their indexes: by
    /// loading from further on, or where loads are scarce (few pixels share them) by shifting the group's register.
    /// </summary>
    private void EmitOwners(int vector, int at)
    {
        (int group, int inGroup) = Math.DivRem(at, OwnersPerIndex);
        if (_tile.Pixels > 2 || OwnersPerIndex == 1)
        {
            _code.vmovdqu8(Owners(vector), __zmmword_ptr[rcx + (group * VectorBytes + inGroup)]);
            return;
        }

        if (inGroup == 0)
            _code.vmovdqu8(zmm31, __zmmword_ptr[rcx + group * VectorBytes]);
        if (OwnersPerIndex == 4)
            _code.vpsrld(Owners(vector), zmm31, (byte)(8 * inGroup));
        else
            _code.vpsrlw(Owners(vector), zmm31, (byte)(8 * inGroup));
    }

    private void EmitProducts(int window, int pixel)
    {
        AssemblerRegister64 row = pixel < RowRegisters.Length ? RowRegisters[pixel] : r15;
        if (pixel >= RowRegisters.Length)
            _code.mov(r15, __[rsi + pixel * 8]);
        AssemblerRegisterZMM input = zmm28;
        _code.vmovups(input, __zmmword_ptr[row + rax]);
        if (_tile.Arithmetic == TileArithmetic.Float32Window32)
        {
            // vpermt2ps writes over its first table; loading that once more costs less than a copy between registers.
            AssemblerRegisterZMM upper = zmm30;
            _code.vmovups(upper, __zmmword_ptr[row + rax + VectorBytes]);
            for (int v = 0; v < _tile.Vectors; v++)
            {
                if (v > 0)
                    _code.vmovups(zmm29, __zmmword_ptr[row + rax]);
                AssemblerRegisterZMM table = v > 0 ? zmm29 : input;
                _code.vpermt2ps(table, Owners(v), upper);
                _code.vfmadd231ps(_registers.Sum(window, pixel, v), table, Weights(v));
            }

            return;
        }

        for (int v = 0; v < _tile.Vectors; v++)
        {
            AssemblerRegisterZMM selected = v > 0 ? zmm30 : zmm29;
            switch (_tile.Arithmetic)
            {
                case TileArithmetic.Float32Window16:
                    _code.vpermps(selected, Owners(v), input);
                    _code.vfmadd231ps(_registers.Sum(window, pixel, v), selected, Weights(v));
                    break;
                case TileArithmetic.BFloat16Window32:
                    _code.vpermw(selected, Owners(v), input);
                    _code.vdpbf16ps(_registers.Sum(window, pixel, v), selected, Weights(v));
                    break;
                default:
                    _code.vpermb(selected, Owners(v), input);
                    _code.vpdpbusd(_registers.Sum(window, pixel, v), selected, Weights(v));
                    break;
            }
        }
    }
}
