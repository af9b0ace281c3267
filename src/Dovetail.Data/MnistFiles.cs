using Dovetail.Core.Files;
namespace Dovetail.Data;

/// <summary>Reads a data set of four IDX files with MNIST's names, each plain or gzipped.</summary>
internal static class MnistFiles
{
    private const string TrainImages = "train-images-idx3-ubyte", TrainLabels = "train-labels-idx1-ubyte";
    private const string TestImages = "t10k-images-idx3-ubyte", TestLabels = "t10k-labels-idx1-ubyte";

    /// <summary>For messages.</summary>
    public const string Names = $"{TrainImages}, {TrainLabels}, {TestImages} and {TestLabels} (as they are or with .gz)";

    /// <summary>Opens the files of a folder, NAME or NAME.gz.</summary>
    public static Func<string, (Stream Stream, string Name)> InFolder(string folder) => file =>
    {
        string path = Path.Combine(folder, file);
        if (!File.Exists(path))
            path += ".gz";
        try
        {
            return (UserFile.OpenRead(path), path);
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new DataException($"{folder} has no {file} or {file}.gz; expected {Names}.", error);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new DataException($"{path} cannot be read: {error.Message}", error);
        }
    };

    /// <exception cref="DataException">A file is missing or damaged, or the files disagree.</exception>
    public static ImageDataset Read(DatasetSource source, string name, Func<string, (Stream Stream, string Name)> open)
    {
        (ImageSet train, int height, int width) = Pair(open, TrainImages, TrainLabels);
        (ImageSet test, int testHeight, int testWidth) = Pair(open, TestImages, TestLabels);
        if ((height, width) != (testHeight, testWidth))
            throw new DataException($"{source}: the training images are {height}×{width} and the test images {testHeight}×{testWidth}; "
                + "expected one size.");
        int classes = Math.Max(train.Labels.Max(), test.Labels.Max()) + 1;
        return new ImageDataset(
            name, source, train, test, [.. Enumerable.Range(0, classes).Select(i => i.ToString())], width, height, Channels: 1);
    }

    private static (ImageSet Set, int Height, int Width) Pair(
        Func<string, (Stream Stream, string Name)> open, string imageFile, string labelFile)
    {
        (IdxArray images, string imageName) = ReadOne(open, imageFile, rank: 3);
        (IdxArray labels, string labelName) = ReadOne(open, labelFile, rank: 1);
        if (images.Dimensions[0] != labels.Dimensions[0])
            throw new DataException($"{imageName} holds {images.Dimensions[0]} images and {labelName} {labels.Dimensions[0]} labels; "
                + "expected as many of both.");
        if (images.Data.Length == 0)
            throw new DataException($"{imageName} holds no pixels (dimensions {string.Join('×', images.Dimensions)}); expected at least "
                + "one image.");
        return (new ImageSet(images.Data, labels.Data), images.Dimensions[1], images.Dimensions[2]);
    }

    private static (IdxArray Array, string Name) ReadOne(Func<string, (Stream Stream, string Name)> open, string file, int rank)
    {
        (Stream stream, string name) = open(file);
        using (stream)
            return (IdxFile.Read(stream, name, rank), name);
    }
}
