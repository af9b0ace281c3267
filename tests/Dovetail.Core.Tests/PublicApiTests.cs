using Dovetail.Core.Files;
using Dovetail.Core.Patterns;
using PublicApiGenerator;

namespace Dovetail.Core.Tests;

/// <summary>The public face of Dovetail.Core stands in PublicApi.approved.txt, so that a change of it is seen in review.</summary>
public sealed class PublicApiTests
{
    private const string HowToAccept =
        "If the change is meant: run this test with DOVETAIL_ACCEPT_API=1 in the environment, review the file's diff and commit it.";

    [Fact]
    public void PublicApi_IsApproved()
    {
        string path = Path.Combine(Repository.Root, "tests", "Dovetail.Core.Tests", "PublicApi.approved.txt");
        string found = typeof(SparsityPattern).Assembly.GeneratePublicApi(new ApiGeneratorOptions { IncludeAssemblyAttributes = false }).ReplaceLineEndings("\n").TrimEnd() + "\n";
        if (Environment.GetEnvironmentVariable("DOVETAIL_ACCEPT_API") == "1")
            AtomicFile.WriteAllText(path, found);
        string approved = File.Exists(path) ? File.ReadAllText(path).ReplaceLineEndings("\n") : "";
        if (found == approved)
            return;
        HashSet<string> before = [.. approved.Split('\n')], after = [.. found.Split('\n')];
        string[] difference = [.. before.Except(after).Select(line => "- " + line.Trim()), .. after.Except(before).Select(line => "+ " + line.Trim())];
        Assert.Fail($"The public API of Dovetail.Core differs from tests/Dovetail.Core.Tests/PublicApi.approved.txt:\n{string.Join('\n', difference)}\n{HowToAccept}");
    }
}
