using Dovetail.Core.Files;

namespace Dovetail.Core.Tests.Files;

public sealed class UserCacheTests
{
    [Theory]
    [InlineData("/own", "/xdg", "/home/a", "/own")]
    [InlineData(null, "/xdg", "/home/a", "/xdg/dovetail")]
    [InlineData("", "relative", "/home/a", "/home/a/.cache/dovetail")]
    [InlineData(null, null, "/home/a", "/home/a/.cache/dovetail")]
    [InlineData(null, null, null, null)]
    public void The_cache_is_where_the_environment_says(string? own, string? xdg, string? home, string? expected) =>
        Assert.Equal(expected, UserCache.Resolve(name => name switch
        {
            "DOVETAIL_CACHE" => own,
            "XDG_CACHE_HOME" => xdg,
            "HOME" => home,
            _ => null,
        }));
}
