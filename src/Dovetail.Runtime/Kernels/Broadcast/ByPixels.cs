using Dovetail.Core.Patterns;

namespace Dovetail.Runtime.Kernels.Broadcast;

/// <summary>
/// A layer with two kernels, for few pixels and for many: broadcasting needs a vector of pixels to fill. Each is prepared when
/// it is first needed; most sessions see only one number of pixels.
/// </summary>
internal sealed class ByPixels<T>(CellLayout layout, int manyPixels, string fewName, string manyName, Func<PreparedLayer<T>> few, Func<PreparedLayer<T>> many)
    : PreparedLayer<T>(manyName, layout)
    where T : unmanaged
{
    private readonly Lazy<PreparedLayer<T>> _few = new(few), _many = new(many);
    private bool _isDisposed;

    public override string KernelNameFor(long pixels) => pixels < manyPixels ? fewName : KernelName;

    internal override int TaskCount(in LayerCall call) => Of(call).TaskCount(call);

    internal override void RunTask(in LayerCall call, int task) => Of(call).RunTask(call, task);

    internal override long StagedBytes(in LayerCall call) => Of(call).StagedBytes(call);

    internal override unsafe void Stage(in LayerCall call, byte* staged) => Of(call).Stage(call, staged);

    public override void Dispose()
    {
        _isDisposed = true;
        foreach (Lazy<PreparedLayer<T>> kernel in (Lazy<PreparedLayer<T>>[])[_few, _many])
            if (kernel.IsValueCreated)
                kernel.Value.Dispose();
    }

    private PreparedLayer<T> Of(in LayerCall call)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        return (call.Pixels < manyPixels ? _few : _many).Value;
    }
}
