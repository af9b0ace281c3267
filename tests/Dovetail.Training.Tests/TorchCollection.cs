using Dovetail.Training.Native;

namespace Dovetail.Training.Tests;

/// <summary>Tests that use libtorch run one after another: its thread count is one for the process.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class TorchCollection : ICollectionFixture<TorchCollection.Loaded>
{
    public const string Name = "Torch";

    public sealed class Loaded
    {
        public Loaded()
        {
            TorchRuntime.EnsureLoaded();
            TorchSharp.torch.set_num_threads(1);
        }
    }
}
