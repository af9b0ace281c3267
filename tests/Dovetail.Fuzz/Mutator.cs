using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace Dovetail.Fuzz;

/// <summary>
/// Changes an input in one to six places: bits, bytes and integers of interest, decimal numbers inside texts,
/// blocks cut out, doubled, moved or taken from another input, words of the format, the end cut off. Every second
/// input is changed gently, to get past the first checks.
/// The same random state gives the same output.
/// </summary>
internal static class Mutator
{
    private static readonly long[] Interesting =
    [
        0, 1, 2, 3, 7, 8, 9, 63, 64, 65, 127, 128, 255, 256, 257, 32767, 32768, 65535, 65536, int.MaxValue, 1L << 31,
        uint.MaxValue, 1L << 32, 100_000_000, 100_000_001, 1L << 40, 1L << 53, long.MaxValue / 8, long.MaxValue - 1, long.MaxValue,
        -1, -2, int.MinValue, long.MinValue,
    ];

    public static byte[] Mutate(IReadOnlyList<byte[]> corpus, IReadOnlyList<byte[]> dictionary, Random random)
    {
        var bytes = new List<byte>(corpus[random.Next(corpus.Count)]);
        bool gentle = random.Next(2) == 0;
        int changes = 1 + random.Next(gentle ? 2 : 6);
        for (int i = 0; i < changes; i++)
        {
            if (gentle)
                ChangeGently(bytes, random);
            else
                Change(bytes, corpus, dictionary, random);
        }

        return [.. bytes];
    }

    /// <summary>A number, or a bit near the end, where most formats have their data: what gets past the first checks.</summary>
    private static void ChangeGently(List<byte> bytes, Random random)
    {
        if (bytes.Count == 0)
            return;
        if (random.Next(2) == 0)
            SetDecimal(bytes, random.Next(bytes.Count), random);
        else
            bytes[bytes.Count - 1 - random.Next(1 + bytes.Count / 3)] ^= (byte)(1 << random.Next(8));
    }

    private static void Change(List<byte> bytes, IReadOnlyList<byte[]> corpus, IReadOnlyList<byte[]> dictionary, Random random)
    {
        int length = bytes.Count;
        int at = length == 0 ? 0 : random.Next(Math.Min(length, random.Next(4) == 0 ? 16 : int.MaxValue));
        int span = Math.Min(length - at, 1 + random.Next(random.Next(4) == 0 ? 200 : 8));
        switch (length == 0 ? 6 : random.Next(11))
        {
            case 0:
                bytes[at] ^= (byte)(1 << random.Next(8));
                break;
            case 1:
                bytes[at] = (byte)random.Next(256);
                break;
            case 2:
                SetInteger(bytes, at, random);
                break;
            case 3 or 4:
                SetDecimal(bytes, at, random);
                break;
            case 5:
                bytes.RemoveRange(at, span);
                break;
            case 6:
                bytes.InsertRange(at, dictionary[random.Next(dictionary.Count)]);
                break;
            case 7:
                bytes.InsertRange(random.Next(length + 1), bytes.GetRange(at, span));
                break;
            case 8:
                bytes.RemoveRange(at, random.Next(4) == 0 ? length - at : span);
                break;
            case 9:
                byte[] other = corpus[random.Next(corpus.Count)];
                if (other.Length > 0)
                {
                    int from = random.Next(other.Length);
                    bytes.InsertRange(at, other.AsSpan(from, Math.Min(span, other.Length - from)).ToArray());
                }

                break;
            default:
                for (int i = 0; i < span; i++)
                    bytes[at + i] = (byte)random.Next(256);
                break;
        }
    }

    private static void SetInteger(List<byte> bytes, int at, Random random)
    {
        Span<byte> word = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(word, Interesting[random.Next(Interesting.Length)]);
        int size = Math.Min(1 << random.Next(4), bytes.Count - at);
        for (int i = 0; i < size; i++)
            bytes[at + i] = word[i];
    }

    /// <summary>Replaces the decimal number at or behind a place by another.</summary>
    private static void SetDecimal(List<byte> bytes, int at, Random random)
    {
        while (at < bytes.Count && !char.IsAsciiDigit((char)bytes[at]))
            at++;
        int end = at;
        while (end < bytes.Count && char.IsAsciiDigit((char)bytes[end]))
            end++;
        if (at == end)
            return;
        long number = long.TryParse(
            Encoding.ASCII.GetString([.. bytes.GetRange(at, end - at)]), NumberStyles.None, CultureInfo.InvariantCulture, out long found)
            ? found
            : 0;
        long changed = random.Next(3) switch
        {
            0 => Interesting[random.Next(Interesting.Length)],
            1 => unchecked(number + random.Next(-4, 5)),
            _ => unchecked(number * random.Next(1, 70)),
        };
        bytes.RemoveRange(at, end - at);
        bytes.InsertRange(at, Encoding.ASCII.GetBytes(changed.ToString(CultureInfo.InvariantCulture)));
    }
}
