using System.Runtime.InteropServices;
using Dovetail.Accelerator.Config;
using Dovetail.Accelerator.Mapping;
using Dovetail.Core.Packing;
using Dovetail.Rtl.Emit;

namespace Dovetail.Rtl.Cosimulation;

/// <summary>
/// A built simulation of an array's RTL. Tiles go to it and results come back by the binary files that
/// <c>driver.cpp.in</c> describes; the tiles of one call run behind each other without a reset.
/// </summary>
internal sealed class VerilatedArray
{
    private const uint InputMagic = 0x31495644, OutputMagic = 0x314f5644;
    private static readonly TimeSpan s_timeOut = TimeSpan.FromMinutes(10);

    private readonly ArrayConfig _config;

    internal VerilatedArray(ArrayConfig config, string executable) => (_config, Executable) = (config, executable);

    /// <summary>The simulation's path.</summary>
    public string Executable { get; }

    /// <exception cref="RtlException">A tile does not fit the array, the simulation failed, or a fold did not end.</exception>
    public IReadOnlyList<RtlTileResult> Run(IReadOnlyList<ArrayTile> tiles, CancellationToken cancellation = default) =>
        Run(tiles, pauseSeed: 0, cancellation);

    /// <summary>With a pause seed other than 0 the driver holds weights and pixels back in random cycles: the sums stay, the cycles
    /// grow.</summary>
    internal IReadOnlyList<RtlTileResult> Run(IReadOnlyList<ArrayTile> tiles, uint pauseSeed, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(tiles);
        foreach (ArrayTile tile in tiles)
            if (tile.Rows != _config.Rows || tile.Columns != _config.Columns || tile.Group != _config.Lanes)
                throw new RtlException(
                    $"A tile of {tile.Rows}×{tile.Columns} PEs with {tile.Group} lanes was given to an array of "
                    + $"{_config.Rows}×{_config.Columns} with {_config.Lanes}; expected equal sizes.");
        using var scratch = new ScratchFolder();
        string input = scratch.File("tiles.bin"), output = scratch.File("sums.bin");
        using (var writer = new BinaryWriter(File.Create(input)))
            WriteTiles(writer, tiles, pauseSeed);
        ToolProcess.Run(Executable, [input, output], scratch.Path, s_timeOut, cancellation);
        using var reader = new BinaryReader(File.OpenRead(output));
        return ReadResults(reader, tiles);
    }

    private void WriteTiles(BinaryWriter writer, IReadOnlyList<ArrayTile> tiles, uint pauseSeed)
    {
        int ownerBits = RtlGenerator.OwnerBits(_config);
        writer.Write(InputMagic);
        writer.Write(tiles.Count);
        foreach (ArrayTile tile in tiles)
        {
            writer.Write(tile.Pixels);
            writer.Write(CycleLimit(tile));
            writer.Write(pauseSeed);
            for (int row = tile.Rows - 1; row >= 0; row--)
                writer.Write(MemoryMarshal.AsBytes(tile.Weights.AsSpan(row * tile.Columns, tile.Columns)));
            if (ownerBits > 0)
                for (int row = tile.Rows - 1; row >= 0; row--)
                    writer.Write(OwnerCodec.Encode(tile.Owners.AsSpan(row * tile.Columns, tile.Columns), 1, tile.Columns, ownerBits));
            writer.Write(MemoryMarshal.AsBytes(tile.Activations.AsSpan()));
        }
    }

    /// <summary>Far above what a fold takes, pauses included.</summary>
    private int CycleLimit(ArrayTile tile) => checked(4 * (int)(_config.Rows + _config.StreamCycles(tile.Pixels)) + 1000);

    private List<RtlTileResult> ReadResults(BinaryReader reader, IReadOnlyList<ArrayTile> tiles)
    {
        var results = new List<RtlTileResult>(tiles.Count);
        try
        {
            if (reader.ReadUInt32() != OutputMagic)
                throw new RtlException("The simulation's output has a wrong magic number; delete its folder in the cache and try again.");
            foreach (ArrayTile tile in tiles)
            {
                uint status = reader.ReadUInt32(), loadCycles = reader.ReadUInt32(), cycles = reader.ReadUInt32(),
                    extra = reader.ReadUInt32();
                int[] sums = ReadInts(reader, tile.Pixels * tile.Columns), when = ReadInts(reader, tile.Pixels * tile.Columns);
                if (status != 0)
                    throw new RtlException($"The RTL did not finish tile {results.Count} in {CycleLimit(tile)} cycles; expected "
                        + $"{_config.Rows + _config.StreamCycles(tile.Pixels)}.");
                if (extra != 0)
                    throw new RtlException($"The RTL gave {extra} sums more than tile {results.Count} has pixels, {tile.Pixels}.");
                for (int at = 0; at < when.Length; at++)
                {
                    if (when[at] < 0)
                        throw new RtlException($"The RTL never gave the sum of pixel {at / tile.Columns}, column {at % tile.Columns} of "
                            + $"tile {results.Count}.");
                    when[at] -= (int)loadCycles;
                }

                results.Add(new RtlTileResult(tile.Pixels, tile.Columns, sums, when, loadCycles, cycles - loadCycles));
            }
        }
        catch (EndOfStreamException error)
        {
            throw new RtlException($"The simulation's output ends inside tile {results.Count}; expected {tiles.Count} tiles.", error);
        }

        return results;
    }

    private static int[] ReadInts(BinaryReader reader, int count)
    {
        var numbers = new int[count];
        reader.BaseStream.ReadExactly(MemoryMarshal.AsBytes(numbers.AsSpan()));
        return numbers;
    }
}
