using Dovetail.Core.Files;

namespace Dovetail.Data;

/// <summary>
/// Fashion-MNIST: 60,000 + 10,000 grey images of 28×28 in ten classes (Xiao, Rasul and Vollgraf,
/// arXiv:1708.07747; MIT licence). Where the full set is not installed, an embedded sample serves.
/// </summary>
public static class FashionMnist
{
    public const string Name = "fashion-mnist";

    /// <summary>The Debian package with the full set.</summary>
    public const string DebianPackage = "dataset-fashion-mnist";

    private const string PackageFolder = "/usr/share/datasets/fashion-mnist";
    private const int Side = 28;

    /// <summary>What the labels 0 … 9 mean.</summary>
    public static IReadOnlyList<string> ClassNames { get; } =
        ["T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"];

    /// <summary>The four files, official names and digests; gzipped as the project publishes them.</summary>
    public static IReadOnlyList<RemoteFile> Files { get; } =
    [
        File("train-images-idx3-ubyte.gz", 26_421_880, "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84"),
        File("train-labels-idx1-ubyte.gz", 29_515, "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845"),
        File("t10k-images-idx3-ubyte.gz", 4_422_102, "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073"),
        File("t10k-labels-idx1-ubyte.gz", 5_148, "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5"),
    ];

    /// <summary>Where `data get` puts the files; null where the user has no home folder.</summary>
    public static string? CacheFolder => UserCache.Root is { } root ? Path.Combine(root, "datasets", Name) : null;

    /// <summary>The best source on this machine: the Debian package, the cache, or the embedded sample.</summary>
    public static DatasetSource Locate() => Locate(PackageFolder, CacheFolder);

    internal static DatasetSource Locate(string? packageFolder, string? cacheFolder) =>
        packageFolder is not null && IsComplete(packageFolder) ? new DatasetSource(DatasetSourceKind.SystemPackage, packageFolder)
        : cacheFolder is not null && IsComplete(cacheFolder) ? new DatasetSource(DatasetSourceKind.UserCache, cacheFolder)
        : new DatasetSource(DatasetSourceKind.EmbeddedSample, Folder: null);

    /// <summary>Loads from the best source.</summary>
    /// <exception cref="DataException">A file is damaged.</exception>
    public static ImageDataset Load() => Load(Locate());

    /// <summary>Loads what <see cref="Locate()"/> found.</summary>
    /// <exception cref="DataException">A file is damaged, or the images are not Fashion-MNIST's size and classes.</exception>
    public static ImageDataset Load(DatasetSource source)
    {
        ArgumentNullException.ThrowIfNull(source);
        ImageDataset data = source.IsSample
            ? MnistFiles.Read(source, Name, OpenSample)
            : MnistFiles.Read(source, Name, MnistFiles.InFolder(source.Folder!));
        if ((data.Height, data.Width, data.Classes) != (Side, Side, ClassNames.Count))
            throw new DataException($"The data in {source} are {data.Height}×{data.Width} images in {data.Classes} classes, expected "
                + $"{Side}×{Side} in {ClassNames.Count}. Remove the files and fetch them again: dovetail data get {Name}");
        return data with { ClassNames = ClassNames };
    }

    /// <summary>The name "fashion-mnist", or a folder with four such files.</summary>
    /// <exception cref="DataException">Neither, or a file is missing or damaged.</exception>
    public static ImageDataset LoadNamedOrFolder(string nameOrFolder)
    {
        if (nameOrFolder == Name)
            return Load();
        if (!Directory.Exists(nameOrFolder))
            throw new DataException($"'{nameOrFolder}' is neither a known data set ({Name}) nor a folder. Expected a folder with "
                + $"{MnistFiles.Names}.");
        string name = Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(nameOrFolder)));
        return MnistFiles.Read(new DatasetSource(DatasetSourceKind.Folder, nameOrFolder), name, MnistFiles.InFolder(nameOrFolder));
    }

    private static (Stream Stream, string Name) OpenSample(string file)
    {
        string resource = $"fashion-mnist-sample/{file}.gz";
        Stream stream = typeof(FashionMnist).Assembly.GetManifestResourceStream(resource)
            ?? throw new DataException($"The embedded sample {resource} is missing from this build. Build the project again.");
        return (stream, $"embedded {resource}");
    }

    private static bool IsComplete(string folder) => Files.All(f => System.IO.File.Exists(Path.Combine(folder, f.Name)));

    private static RemoteFile File(string name, long bytes, string sha256) =>
        new(new Uri("https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/" + name), name, bytes, sha256);
}
