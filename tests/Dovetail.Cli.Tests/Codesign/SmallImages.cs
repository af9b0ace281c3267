using System.Buffers.Binary;
using Dovetail.Data;

namespace Dovetail.Cli.Tests.Codesign;

/// <summary>A few hundred real images in a folder, so that a whole job takes seconds.</summary>
internal static class SmallImages
{
    public const int TrainCount = 640, TestCount = 200;

    public static void Write(string folder)
    {
        ImageDataset sample = FashionMnist.Load(new DatasetSource(DatasetSourceKind.EmbeddedSample, Folder: null));
        Directory.CreateDirectory(folder);
        Save(sample.Train, TrainCount, "train");
        Save(sample.Test, TestCount, "t10k");

        void Save(ImageSet set, int count, string prefix)
        {
            WriteIdx($"{prefix}-images-idx3-ubyte", set.Pixels.AsSpan(0, count * sample.PixelsPerImage), count, sample.Height,
                sample.Width);
            WriteIdx($"{prefix}-labels-idx1-ubyte", set.Labels.AsSpan(0, count), count);
        }

        void WriteIdx(string name, ReadOnlySpan<byte> data, params int[] dimensions)
        {
            using FileStream file = File.Create(Path.Combine(folder, name));
            Span<byte> word = stackalloc byte[4];
            file.Write([0, 0, 8, (byte)dimensions.Length]);
            foreach (int dimension in dimensions)
            {
                BinaryPrimitives.WriteInt32BigEndian(word, dimension);
                file.Write(word);
            }

            file.Write(data);
        }
    }
}
