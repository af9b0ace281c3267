namespace Dovetail.Kernels.Dispatch;

/// <summary>
/// A layer with two kernels, for few pixels and for many: broadcasting needs vectors of pixels to fill. Each is prepared when
/// it is first needed; most sessions see only one number of pixels.
/// </summary>
/// <param name="layer">Validated.</param>
/// <param name="few">Runs fewer pixels than it is outrun from.</param>
/// <param name="many">Runs the others.</param>
internal sealed class ByPixels<TSpecification, T>(TSpecification layer, Kernel<TSpecification, T> few, Kernel<TSpecification, T> many)
    : PreparedLayer<T>(many.Name, layer.Layout)
    where TSpecification : ILayerSpecification
    where T : unmanaged
{
    private readonly Lock _lock = new();
    private volatile PreparedLayer<T>? _few, _many;
    private bool _isDisposed;

    public override string KernelNameFor(long pixels) => pixels < few.OutrunFrom ? few.Name : KernelName;

    internal override int TaskCount(in LayerCall call) => Of(call).TaskCount(call);

    internal override void RunTask(in LayerCall call, int task) => Of(call).RunTask(call, task);

    internal override long StagedBytes(in LayerCall call) => Of(call).StagedBytes(call);

    internal override unsafe void Stage(in LayerCall call, byte* staged) => Of(call).Stage(call, staged);

    public override void Dispose()
    {
        lock (_lock)
        {
            _isDisposed = true;
            _few?.Dispose();
            _many?.Dispose();
        }
    }

    private PreparedLayer<T> Of(in LayerCall call)
    {
        bool isFew = call.Pixels < few.OutrunFrom;
        return (isFew ? _few : _many) ?? Prepare(isFew);
    }

    private PreparedLayer<T> Prepare(bool isFew)
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            return isFew ? _few ??= few.Prepare(layer) : _many ??= many.Prepare(layer);
        }
    }
}
