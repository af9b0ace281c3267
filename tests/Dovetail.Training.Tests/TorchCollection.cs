using Dovetail.Training.Native;

namespace Dovetail.Training.Tests;

/// <summary>
/// Tests that use libtorch run one after another: its thread count is one for the process. Where it is not on the machine, the
/// first of them installs it.
/// </summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class TorchCollection : ICollectionFixture<TorchCollection.Loaded>
{
    public const string Name = "Torch";

    public sealed class Loaded : IAsyncLifetime
    {
        public async ValueTask InitializeAsync()
        {
            await new LibTorchInstaller().InstallAsync();
            TorchRuntime.EnsureLoaded();
            TorchSharp.torch.set_num_threads(1);
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
