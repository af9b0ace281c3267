using Dovetail.Training.Native;

[assembly: AssemblyFixture(typeof(Dovetail.Cli.Tests.LibTorchFixture))]

namespace Dovetail.Cli.Tests;

/// <summary>Installs libtorch where it is not on the machine, before a verb's output is looked at.</summary>
public sealed class LibTorchFixture : IAsyncLifetime
{
    public async ValueTask InitializeAsync() => await new LibTorchInstaller().InstallAsync();

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
