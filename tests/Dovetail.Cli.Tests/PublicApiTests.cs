using System.Reflection;
using Dovetail.Core.Files;
using PublicApiGenerator;

namespace Dovetail.Cli.Tests;

/// <summary>The public face of every package stands in PublicApi/, so that a change of it is seen in review.</summary>
public sealed class PublicApiTests
{
    private const string HowToAccept =
        "If the change is meant: run this test with DOVETAIL_ACCEPT=1 in the environment, review the file's diff and commit it.";

    public static TheoryData<string> Packages => new(Repository.SourceProjects()
        .Select(path => Path.GetFileNameWithoutExtension(path)).Where(name => name is not ("Dovetail.Cli" or "Dovetail.Native")));

    [Theory]
    [MemberData(nameof(Packages))]
    public void Public_api_is_approved(string package)
    {
        string path = Path.Combine(Repository.Root, "tests", "Dovetail.Cli.Tests", "PublicApi", package + ".txt");
        string found = Assembly.Load(package).GeneratePublicApi(new ApiGeneratorOptions
        {
            IncludeAssemblyAttributes = false,
        }).ReplaceLineEndings("\n").TrimEnd() + "\n";
        if (Environment.GetEnvironmentVariable("DOVETAIL_ACCEPT") == "1")
            AtomicFile.WriteAllText(path, found);
        string approved = File.Exists(path) ? File.ReadAllText(path).ReplaceLineEndings("\n") : "";
        if (found == approved)
            return;
        HashSet<string> before = [.. approved.Split('\n')], after = [.. found.Split('\n')];
        string[] difference = [
            .. before.Except(after).Select(line => "- " + line.Trim()), .. after.Except(before).Select(line => "+ " + line.Trim())];
        Assert.Fail($"The public API of {package} differs from PublicApi/{package}.txt:\n{string.Join('\n', difference)}\n{HowToAccept}");
    }
}
