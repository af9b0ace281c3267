using Dovetail.Core.Patterns;

namespace Dovetail.Kernels.Dispatch;

/// <summary>An entry of the registry: a way to run layers described by <typeparamref name="TSpecification"/>.</summary>
public sealed class Kernel<TSpecification, TElement>
    where TElement : unmanaged
{
    private readonly Func<bool> _supported;
    private readonly Func<CellLayout, bool> _accepts;
    private readonly Func<string, TSpecification, PreparedLayer<TElement>> _make;

    internal Kernel(
        string name, string reason, Func<bool> supported, Func<CellLayout, bool> accepts,
        Func<string, TSpecification, PreparedLayer<TElement>> make) =>
        (Name, Reason, _supported, _accepts, _make) = (name, reason, supported, accepts, make);

    /// <summary>By the grammar of docs/kernels.md: op-dtype-window-tile-isa.</summary>
    public string Name { get; }

    /// <summary>Why it stands where it stands in the order.</summary>
    public string Reason { get; }

    /// <summary>True where pixels ride in the lanes, so that few of them leave lanes empty.</summary>
    public bool WantsPixels { get; internal init; }

    /// <summary>Output pixels from which a kernel that <see cref="WantsPixels"/> is the faster one, on the same machine.
    /// Measured.</summary>
    public int OutrunFrom { get; internal init; } = 1;

    /// <summary>True where this CPU has the instructions.</summary>
    public bool IsSupported => _supported();

    /// <summary>True where the kernel can run weights laid out like this.</summary>
    public bool Accepts(CellLayout layout) => _accepts(layout);

    /// <summary>Lays the layer's constants out for this kernel.</summary>
    /// <exception cref="KernelException">The kernel cannot run the layer, or the layer's parts do not fit each other.</exception>
    public PreparedLayer<TElement> Prepare(TSpecification layer)
    {
        ArgumentNullException.ThrowIfNull(layer);
        var specification = (ILayerSpecification)layer;
        specification.Validate();
        if (!IsSupported)
            throw new KernelException($"Kernel {Name} needs instructions that this CPU does not have.");
        if (!Accepts(specification.Layout))
            throw new KernelException($"Kernel {Name} does not run pattern {specification.Layout.Pattern}.");
        return _make(Name, layer);
    }
}
