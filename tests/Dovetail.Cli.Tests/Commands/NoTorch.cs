namespace Dovetail.Cli.Tests.Commands;

/// <summary>Asserts, through <see cref="StartupHook"/>, that a verb loaded no libtorch.</summary>
internal static class NoTorch
{
    public static Dictionary<string, string?> Environment(string loaded) => new()
    {
        ["DOTNET_STARTUP_HOOKS"] = typeof(StartupHook).Assembly.Location,
        [StartupHook.TargetVariable] = loaded,
    };

    public static void Check(string loaded)
    {
        string[] names = File.ReadAllLines(loaded);
        Assert.Contains("dovetail", names);
        Assert.DoesNotContain(names, name => name.Contains("Torch", StringComparison.OrdinalIgnoreCase));
    }
}
