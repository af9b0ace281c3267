namespace Dovetail.Core.Files;

/// <summary>
/// The user's cache folder: $DOVETAIL_CACHE, else $XDG_CACHE_HOME/dovetail, else ~/.cache/dovetail.
/// Everything in it can be made again, so it may be deleted at any time.
/// </summary>
public static class UserCache
{
    public const string Variable = "DOVETAIL_CACHE";

    /// <summary>The folder, which need not exist; null where the user has no home folder.</summary>
    public static string? Root => Resolve(Environment.GetEnvironmentVariable);

    /// <summary>As <see cref="Root"/>, with the environment as an argument.</summary>
    public static string? Resolve(Func<string, string?> environment)
    {
        ArgumentNullException.ThrowIfNull(environment);
        if (environment(Variable) is { Length: > 0 } own)
            return Path.GetFullPath(own);
        // The XDG base directory specification: a relative path counts as unset.
        if (environment("XDG_CACHE_HOME") is { Length: > 0 } xdg && Path.IsPathRooted(xdg))
            return Path.Combine(xdg, "dovetail");
        return environment("HOME") is { Length: > 0 } home ? Path.Combine(home, ".cache", "dovetail")
            : environment("LOCALAPPDATA") is { Length: > 0 } local ? Path.Combine(local, "dovetail")
            : null;
    }
}
