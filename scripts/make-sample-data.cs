// Makes data/fashion-mnist-sample from the full set: the same number of images of every class, drawn with a
// fixed seed, in the full set's order. The gzip headers carry no name and no time, so the result is reproducible
// with one version of the .NET SDK (its zlib decides the bytes; the unzipped bytes never change).
// Usage: scripts/make-sample-data.sh [FULL_SET_FOLDER]
using System.Buffers.Binary;
using System.IO.Compression;
using System.Security.Cryptography;

const ulong Seed = 20240229;
const int TrainPerClass = 800, TestPerClass = 200, Classes = 10;
if (args.Length != 2)
{
    Console.Error.WriteLine("Usage: make-sample-data FULL_SET_FOLDER OUTPUT_FOLDER");
    return 2;
}

ulong state = Seed;
Directory.CreateDirectory(args[1]);
Sample("train", TrainPerClass);
Sample("t10k", TestPerClass);
return 0;

void Sample(string part, int perClass)
{
    byte[] images = Unzip($"{part}-images-idx3-ubyte.gz"), labels = Unzip($"{part}-labels-idx1-ubyte.gz");
    int count = BinaryPrimitives.ReadInt32BigEndian(images.AsSpan(4));
    int pixels = BinaryPrimitives.ReadInt32BigEndian(images.AsSpan(8)) * BinaryPrimitives.ReadInt32BigEndian(images.AsSpan(12));
    var chosen = new List<int>();
    for (int c = 0; c < Classes; c++)
    {
        int[] members = [.. Enumerable.Range(0, count).Where(i => labels[8 + i] == c)];
        for (int i = 0; i < perClass; i++) // the first steps of a Fisher-Yates shuffle
        {
            int j = i + (int)(Next() % (ulong)(members.Length - i));
            (members[i], members[j]) = (members[j], members[i]);
        }

        chosen.AddRange(members[..perClass]);
    }

    chosen.Sort();
    byte[] imageHeader = images[..16], labelHeader = labels[..8];
    BinaryPrimitives.WriteInt32BigEndian(imageHeader.AsSpan(4), chosen.Count);
    BinaryPrimitives.WriteInt32BigEndian(labelHeader.AsSpan(4), chosen.Count);
    Zip($"{part}-images-idx3-ubyte.gz", [.. imageHeader, .. chosen.SelectMany(i => images.AsSpan(16 + i * pixels, pixels).ToArray())]);
    Zip($"{part}-labels-idx1-ubyte.gz", [.. labelHeader, .. chosen.Select(i => labels[8 + i])]);
}

// SplitMix64 (Steele, Lea and Flood, OOPSLA 2014): the same numbers on every machine.
ulong Next()
{
    ulong z = state += 0x9E3779B97F4A7C15;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
    return z ^ (z >> 31);
}

byte[] Unzip(string name)
{
    using var file = new GZipStream(File.OpenRead(Path.Combine(args[0], name)), CompressionMode.Decompress);
    using var memory = new MemoryStream();
    file.CopyTo(memory);
    return memory.ToArray();
}

void Zip(string name, byte[] content)
{
    string path = Path.Combine(args[1], name), temporary = path + ".tmp";
    using (var file = new GZipStream(File.Create(temporary), CompressionLevel.SmallestSize))
        file.Write(content);
    File.Move(temporary, path, overwrite: true);
    Console.WriteLine($"{name}: {new FileInfo(path).Length} bytes, unzipped SHA-256 {Convert.ToHexStringLower(SHA256.HashData(content))}");
}
