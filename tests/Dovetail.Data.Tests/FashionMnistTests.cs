using System.Security.Cryptography;

namespace Dovetail.Data.Tests;

public sealed class FashionMnistTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void The_embedded_sample_is_balanced_and_is_what_the_script_made()
    {
        ImageDataset sample = FashionMnist.Load(new DatasetSource(DatasetSourceKind.EmbeddedSample, null));
        Assert.True(sample.Source.IsSample);
        Assert.Equal((28, 28, 1, 10), (sample.Width, sample.Height, sample.Channels, sample.Classes));
        Assert.All(sample.Train.Labels.CountBy(l => l), c => Assert.Equal(800, c.Value));
        Assert.All(sample.Test.Labels.CountBy(l => l), c => Assert.Equal(200, c.Value));
        Assert.Equal(8000 * 784, sample.Train.Pixels.Length);
        Assert.Equal(2000 * 784, sample.Test.Pixels.Length);
        // printed by scripts/make-sample-data.sh for the file with its header
        Assert.Equal("5b6e1cab2518e709bc3973f1ed3e03d59b086677e9b8d3acd09649ba7788b048", Digest(sample.Train.Labels, 8000));
        Assert.Equal("a187022962bbc5aee4be43fe22b850f7b31f283e78b7c0697808eb55fe06d9f7", Digest(sample.Train.Pixels, 8000, 28, 28));
    }

    [Fact]
    public void The_package_comes_before_the_cache_and_the_cache_before_the_sample()
    {
        string package = Folder("package", FashionMnist.Files.Select(f => f.Name)),
            cache = Folder("cache", FashionMnist.Files.Select(f => f.Name));
        string half = Folder("half", FashionMnist.Files.Take(3).Select(f => f.Name));
        Assert.Equal(new DatasetSource(DatasetSourceKind.SystemPackage, package), FashionMnist.Locate(package, cache));
        Assert.Equal(new DatasetSource(DatasetSourceKind.UserCache, cache), FashionMnist.Locate(half, cache));
        Assert.Equal(DatasetSourceKind.EmbeddedSample, FashionMnist.Locate(half, half).Kind);
        Assert.Equal(DatasetSourceKind.EmbeddedSample, FashionMnist.Locate(null, null).Kind);
    }

    [Fact]
    public void A_folder_of_plain_and_gzipped_files_loads()
    {
        SaveSet(trainImages: 5, trainLabels: 5, test: 3, side: 4);
        ImageDataset data = FashionMnist.LoadNamedOrFolder(_folder.Path);
        Assert.Equal((5, 3, 4, 4), (data.Train.Count, data.Test.Count, data.Width, data.Height));
        Assert.Equal(5, data.Classes);
        Assert.Equal(Path.GetFileName(_folder.Path), data.Name);
        Assert.Equal(DatasetSourceKind.Folder, data.Source.Kind);
    }

    [Fact]
    public void Counts_that_disagree_are_refused()
    {
        SaveSet(trainImages: 5, trainLabels: 4, test: 3, side: 4);
        Assert.Contains("holds 5 images and", Failure(_folder.Path));
    }

    [Fact]
    public void Sizes_that_disagree_are_refused()
    {
        SaveSet(trainImages: 5, trainLabels: 5, test: 3, side: 4);
        File.WriteAllBytes(_folder.File("t10k-images-idx3-ubyte"), IdxFileTests.Idx(new byte[3 * 25], 3, 5, 5));
        Assert.Contains("the training images are 4×4 and the test images 5×5", Failure(_folder.Path));
    }

    [Fact]
    public void A_set_without_images_is_refused()
    {
        SaveSet(trainImages: 0, trainLabels: 0, test: 3, side: 4);
        Assert.Contains("holds no pixels", Failure(_folder.Path));
    }

    [Fact]
    public void A_missing_file_or_folder_is_one_clear_message()
    {
        Assert.Contains("has no train-images-idx3-ubyte or train-images-idx3-ubyte.gz; expected", Failure(_folder.Path));
        Assert.Contains("is neither a known data set (fashion-mnist) nor a folder", Failure(_folder.File("nothing")));
    }

    private static string Failure(string folder) => Assert.Throws<DataException>(() => FashionMnist.LoadNamedOrFolder(folder)).Message;

    private static string Digest(byte[] data, params int[] dimensions) =>
        Convert.ToHexStringLower(SHA256.HashData(IdxFileTests.Idx(data, dimensions)));

    private string Folder(string name, IEnumerable<string> files)
    {
        string folder = Directory.CreateDirectory(_folder.File(name)).FullName;
        foreach (string file in files)
            File.WriteAllText(Path.Combine(folder, file), "");
        return folder;
    }

    private void SaveSet(int trainImages, int trainLabels, int test, int side)
    {
        File.WriteAllBytes(
            _folder.File("train-images-idx3-ubyte.gz"),
            IdxFileTests.Gzip(IdxFileTests.Idx(new byte[trainImages * side * side], trainImages, side, side)));
        File.WriteAllBytes(
            _folder.File("train-labels-idx1-ubyte"),
            IdxFileTests.Idx([.. Enumerable.Range(0, trainLabels).Select(i => (byte)i)], trainLabels));
        File.WriteAllBytes(_folder.File("t10k-images-idx3-ubyte"), IdxFileTests.Idx(new byte[test * side * side], test, side, side));
        File.WriteAllBytes(_folder.File("t10k-labels-idx1-ubyte.gz"), IdxFileTests.Gzip(IdxFileTests.Idx(new byte[test], test)));
    }
}
