using Iced.Intel;
using static Dovetail.Kernels.MachineCode.TileRegisters;
using static Iced.Intel.AssemblerRegisters;

namespace Dovetail.Kernels.MachineCode;

/// <summary>
/// Writes how the sums of a block leave the registers.
/// 1. Sums of windows apart are added.
/// 2. Floats: the residual is added, bounds are applied, and the lanes that are outputs stored.
/// 3. Integers: scaled, bounded, rounded, moved by the zero point, and packed to bytes with saturation.
/// From zmm24 on all registers are free by now, and rax, r8, r9.
/// </summary>
internal sealed class TileEnd(Assembler code, TileVariant tile, TileRegisters registers)
{
    private Label _order = code.CreateLabel();
    private bool _usesOrder;

    private bool IsQuantized => tile.Arithmetic == TileArithmetic.QuantizedWindow64;

    /// <summary>Writes a block's results and leaves the arguments at the next block's; rdx, rcx and the row pointers stay.</summary>
    public void Emit()
    {
        for (int window = 1; window < registers.WindowsApart; window++)
            for (int pixel = 0; pixel < tile.Pixels; pixel++)
                for (int v = 0; v < tile.Vectors; v++)
                {
                    if (IsQuantized)
                        code.vpaddd(registers.Sum(0, pixel, v), registers.Sum(0, pixel, v), registers.Sum(window, pixel, v));
                    else
                        code.vaddps(registers.Sum(0, pixel, v), registers.Sum(0, pixel, v), registers.Sum(window, pixel, v));
                }

        if (IsQuantized)
            EmitQuantizedEnd();
        else
            EmitFloatEnd();

        Advance(nameof(TileArguments.Starts), VectorBytes);
        Advance(nameof(TileArguments.Output), IsQuantized ? Lanes : VectorBytes);
        if (tile.HasResidual)
            Advance(nameof(TileArguments.Residual), VectorBytes);
        if (IsQuantized)
            Advance(nameof(TileArguments.Factors), VectorBytes);
    }

    /// <summary>What the code reads, to stand behind its last instruction.</summary>
    public void EmitConstants()
    {
        if (!_usesOrder)
            return;
        code.Label(ref _order);
        for (uint vector = 0; vector < 4; vector++)
            code.dd(vector, vector + 4, vector + 8, vector + 12);
    }

    /// <summary>max and min return their second operand where one is NaN: the sum stands there, so that NaN stays.</summary>
    private void EmitFloatEnd()
    {
        if (tile.HasResidual)
            code.mov(r8, Field(nameof(TileArguments.Residual)));
        if (tile.ClampsLow)
            code.vbroadcastss(zmm24, __dword_ptr[rdi + OffsetOf(nameof(TileArguments.Low))]);
        if (tile.ClampsHigh)
            code.vbroadcastss(zmm25, __dword_ptr[rdi + OffsetOf(nameof(TileArguments.High))]);
        ForEachPixel(pixel =>
        {
            for (int v = 0; v < tile.Vectors; v++)
            {
                AssemblerRegisterZMM sum = registers.Sum(0, pixel, v);
                if (tile.HasResidual)
                    code.vaddps(IsMasked(v) ? sum.k1 : sum, sum, __zmmword_ptr[r8 + v * VectorBytes]);
                if (tile.ClampsLow)
                    code.vmaxps(sum, zmm24, sum);
                if (tile.ClampsHigh)
                    code.vminps(sum, zmm25, sum);
                AssemblerMemoryOperand target = __zmmword_ptr[rax + v * VectorBytes];
                code.vmovups(IsMasked(v) ? target.k1 : target, sum);
            }

            if (tile.HasResidual)
                code.add(r8, r9);
        });
    }

    /// <summary>
    /// y = round_half_to_even(clamp(sum · factor)) + zeroPoint. The bounds are integers, so rounding stays inside. Where they
    /// are those of a byte and no scaled sum can leave 31 bits, packing with saturation is the clamp.
    /// </summary>
    private void EmitQuantizedEnd()
    {
        code.mov(r8, Field(nameof(TileArguments.Factors)));
        if (tile.ClampsLow || tile.ClampsHigh)
        {
            code.vbroadcastss(zmm24, __dword_ptr[rdi + OffsetOf(nameof(TileArguments.Low))]);
            code.vbroadcastss(zmm25, __dword_ptr[rdi + OffsetOf(nameof(TileArguments.High))]);
        }
        else
        {
            code.vpxord(zmm25, zmm25, zmm25);
        }

        code.vpbroadcastd(zmm26, __dword_ptr[rdi + OffsetOf(nameof(TileArguments.ZeroPoint))]);
        for (int v = 0; v < tile.Vectors; v++)
            code.vmovups(Zmm[27 + v], __zmmword_ptr[r8 + v * VectorBytes]);
        for (int pixel = 0; pixel < tile.Pixels; pixel++)
            for (int v = 0; v < tile.Vectors; v++)
            {
                AssemblerRegisterZMM sum = registers.Sum(0, pixel, v);
                code.vcvtdq2ps(sum, sum);
                code.vmulps(sum, sum, Zmm[27 + v]);
                if (tile.ClampsLow)
                    code.vmaxps(sum, sum, zmm24);
                if (tile.ClampsHigh)
                    code.vminps(sum, sum, zmm25);
                code.vcvtps2dq(sum, sum);
                code.vpaddd(sum, sum, zmm26);
            }

        if (tile.Vectors == 2 && !tile.IsPartial)
            EmitPackedPairs();
        else
            ForEachPixel(pixel =>
            {
                for (int v = 0; v < tile.Vectors; v++)
                {
                    int index = pixel * tile.Vectors + v;
                    if (!tile.ClampsLow)
                        code.vpmaxsd(Zmm[index], Zmm[index], zmm25); // zero: the conversion to bytes saturates unsigned numbers only
                    code.vpmovusdb(Xmm[index], Zmm[index]);
                    AssemblerMemoryOperand target = __xmmword_ptr[rax + v * Lanes];
                    code.vmovdqu8(IsMasked(v) ? target.k1 : target, Xmm[index]);
                }
            });
    }

    /// <summary>
    /// Two pixels of 32 sums become 64 bytes at once. Packing works within quarters of a register: afterwards quarter q
    /// holds outputs 4q … of the first pixel's first vector, of its second vector, then of the second pixel's; the
    /// permutation brings quarters together.
    /// </summary>
    private void EmitPackedPairs()
    {
        code.vmovdqu32(zmm24, __zmmword_ptr[_order]);
        _usesOrder = true;
        code.mov(rax, Field(nameof(TileArguments.Output)));
        code.mov(r9, Field(nameof(TileArguments.OutputStride)));
        for (int pixel = 0; pixel < tile.Pixels; pixel += 2)
        {
            bool pair = pixel + 1 < tile.Pixels;
            AssemblerRegisterZMM words = registers.Sum(0, pixel, 0), second = pair ? registers.Sum(0, pixel + 1, 0) : words;
            code.vpackssdw(words, words, registers.Sum(0, pixel, 1));
            if (pair)
                code.vpackssdw(second, second, registers.Sum(0, pixel + 1, 1));
            code.vpackuswb(words, words, second);
            code.vpermd(words, zmm24, words);
            AssemblerRegisterYMM lower = Ymm[pixel * 2];
            code.vmovdqu8(__ymmword_ptr[rax], lower);
            code.add(rax, r9);
            if (!pair)
                break;
            code.vextracti32x8(__ymmword_ptr[rax], words, 1);
            code.add(rax, r9);
        }
    }

    private bool IsMasked(int vector) => tile.IsPartial && vector == tile.Vectors - 1;

    /// <summary>Leaves the pixel's outputs in rax and their stride in r9.</summary>
    private void ForEachPixel(Action<int> emit)
    {
        code.mov(rax, Field(nameof(TileArguments.Output)));
        code.mov(r9, Field(nameof(TileArguments.OutputStride)));
        for (int pixel = 0; pixel < tile.Pixels; pixel++)
        {
            emit(pixel);
            if (pixel + 1 < tile.Pixels)
                code.add(rax, r9);
        }
    }

    private void Advance(string field, int bytesPerVector) =>
        code.add(__qword_ptr[rdi + OffsetOf(field)], tile.Vectors * bytesPerVector);
}
