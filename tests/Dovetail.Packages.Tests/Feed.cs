namespace Dovetail.Packages.Tests;

/// <summary>The folder feed that scripts/pack.sh makes.</summary>
internal static class Feed
{
    public static string Folder { get; } = Path.Combine(Repository.Root, "artifacts", "packages");

    public static string Version => "0.1.0";

    /// <summary>A folder where only the feed is added to the user's sources, with a package folder of its own.</summary>
    public static void Configure(string folder) => File.WriteAllText(Path.Combine(folder, "nuget.config"),
        $"""
        <?xml version="1.0" encoding="utf-8"?>
        <configuration>
          <packageSources>
            <add key="dovetail" value="{Folder}" />
          </packageSources>
          <config>
            <add key="globalPackagesFolder" value="{Path.Combine(Repository.Root, "artifacts", "nuget")}" />
          </config>
        </configuration>
        """);
}
