namespace Dovetail.Cli.Tests;

/// <summary>
/// Namespaces are layered like projects. namespaces.txt lists, project by project, who may use whom; a line that is new is a decision
/// to review, and no two namespaces may need each other, directly or through others.
/// </summary>
public sealed class NamespaceTests
{
    private static readonly string ApprovedFile = Path.Combine(Repository.Root, "tests", "Dovetail.Cli.Tests", "namespaces.txt");

    [Fact]
    public void Namespaces_use_what_the_list_allows()
    {
        string[] found = [.. Pairs().Select(pair => $"{pair.From} -> {pair.To}").Order(StringComparer.Ordinal)];
        if (Environment.GetEnvironmentVariable("DOVETAIL_ACCEPT") == "1")
            File.WriteAllLines(ApprovedFile, found);
        string[] approved = File.ReadAllLines(ApprovedFile);
        Assert.Empty(found.Except(approved)); // new: is that direction right?
        Assert.Empty(approved.Except(found)); // gone: take it off the list
    }

    [Fact]
    public void No_namespace_needs_itself_through_others()
    {
        ILookup<string, string> uses = Pairs().ToLookup(pair => pair.From, pair => pair.To);
        var state = new Dictionary<string, bool>(); // false: on the way, true: done
        foreach (string start in uses.Select(group => group.Key))
            Visit(start, []);

        void Visit(string name, List<string> path)
        {
            if (state.TryGetValue(name, out bool done))
            {
                Assert.True(done, $"A circle: {string.Join(" -> ", path.SkipWhile(step => step != name).Append(name))}");
                return;
            }

            state[name] = false;
            path.Add(name);
            foreach (string next in uses[name])
                Visit(next, path);
            path.RemoveAt(path.Count - 1);
            state[name] = true;
        }
    }

    [Fact]
    public void The_oracle_sees_neither_kernels_nor_layouts()
    {
        string[] allowed = ["Dovetail.Kernels", "Dovetail.Core.Packing", "Dovetail.Core.Patterns", "Dovetail.Core.Workloads"];
        Assert.Empty(Pairs().Where(pair => pair.From == "Dovetail.Kernels.Reference").Select(pair => pair.To).Except(allowed));
        string folder = Path.Combine(Repository.Root, "src", "Dovetail.Kernels", "Reference");
        foreach (string file in Directory.EnumerateFiles(folder, "*.cs"))
            foreach (string member
                in (string[])["OwnerIndex", "ValueIndex", "InputColumn", "Candidate(", "UsedSlots", "Unpack", "CellCursor"])
                Assert.DoesNotContain(member, File.ReadAllText(file), StringComparison.Ordinal);
    }

    private static HashSet<(string From, string To)> Pairs() => [.. Directory
        .EnumerateFiles(AppContext.BaseDirectory, "*ovetail*.dll")
        .Where(file => Path.GetFileNameWithoutExtension(file) is var name && name != "Dovetail.Cli.Tests"
            && (name == "dovetail" || Directory.Exists(Path.Combine(Repository.Root, "src", name))))
        .SelectMany(NamespaceReferences.Of)
        .Where(pair => Project(pair.From) == Project(pair.To))];

    private static string Project(string name) => string.Join('.', name.Split('.').Take(2));
}
