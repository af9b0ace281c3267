using System.Text.Json;
using Dovetail.Accelerator.Config;
using Dovetail.Accelerator.Mapping;
using Dovetail.Accelerator.Simulation;

namespace Dovetail.Accelerator.Tracing;

/// <summary>
/// Layers, loads and streams as a timeline in the Chrome trace event format, which Perfetto opens. A microsecond of it is a cycle.
/// An event of a stream says how many of its PE-cycles multiplied.
/// </summary>
public sealed class TimelineTrace : IArrayObserver, IDisposable
{
    private readonly Utf8JsonWriter _json;
    private long _elapsed, _layerStart, _phaseStart, _multiplied;
    private LayerMapping? _layer;
    private (ArrayPhase Phase, int Number, ArrayFold Fold)? _phase;

    /// <param name="stream">Stays open.</param>
    public TimelineTrace(Stream stream, ArrayConfig config)
    {
        ArgumentNullException.ThrowIfNull(config);
        _json = new Utf8JsonWriter(stream);
        _json.WriteStartObject();
        _json.WriteString("displayTimeUnit", "ms");
        _json.WriteStartArray("traceEvents");
        Name("process_name", 0, $"{config.Rows}×{config.Columns} PEs, {config.Pattern}");
        Name("thread_name", 1, "layers");
        Name("thread_name", 2, "load");
        Name("thread_name", 3, "stream");
    }

    public void BeginLayer(LayerMapping mapping)
    {
        EndLayer();
        (_layer, _layerStart) = (mapping, _elapsed);
    }

    public void BeginPhase(ArrayPhase phase, int number, ArrayFold fold)
    {
        EndPhase();
        (_phase, _phaseStart, _multiplied) = ((phase, number, fold), _elapsed, 0);
    }

    public void Elapsed(ArrayCycle cycle)
    {
        ArgumentNullException.ThrowIfNull(cycle);
        _elapsed++;
        if (cycle is not { Phase: ArrayPhase.Stream, Number: 0 } || _phase is not { } phase)
            return;
        for (int r = 0; r < phase.Fold.Slots; r++)
            for (int c = 0; c < phase.Fold.Outputs; c++)
                if (cycle[r, c].Weight != 0)
                    _multiplied += _layer!.Pixels; // each meets every pixel once
    }

    /// <summary>Ends the last event and the text.</summary>
    public void Dispose()
    {
        EndLayer();
        _json.WriteEndArray();
        _json.WriteEndObject();
        _json.Dispose();
    }

    private void EndLayer()
    {
        EndPhase();
        if (_layer is { } layer)
        {
            Begin(layer.Workload.Name, 1, _layerStart);
            _json.WriteNumber("pixels", layer.Pixels);
            _json.WriteNumber("outputs", layer.Workload.M);
            _json.WriteNumber("inputs", layer.Workload.K);
            _json.WriteString("pattern", layer.Pattern.ToString());
            End();
        }

        _layer = null;
    }

    private void EndPhase()
    {
        if (_phase is not { } phase || _elapsed == _phaseStart)
            return; // a load that a stream hid
        Begin($"fold {phase.Number + 1}", phase.Phase == ArrayPhase.Load ? 2 : 3, _phaseStart);
        _json.WriteNumber("first_output", phase.Fold.FirstOutput);
        _json.WriteNumber("outputs", phase.Fold.Outputs);
        _json.WriteNumber("first_slot", phase.Fold.FirstSlot);
        _json.WriteNumber("slots", phase.Fold.Slots);
        if (phase.Phase == ArrayPhase.Stream)
            _json.WriteNumber("multiplications_by_weights_not_zero", _multiplied);
        End();
        _phase = null;
        if (_json.BytesPending > 1 << 16)
            _json.Flush();
    }

    private void Begin(string name, int thread, long start)
    {
        Begin(name, "X", thread);
        _json.WriteNumber("ts", start);
        _json.WriteNumber("dur", _elapsed - start);
        _json.WriteStartObject("args");
    }

    private void Begin(string name, string kind, int thread)
    {
        _json.WriteStartObject();
        _json.WriteString("name", name);
        _json.WriteString("ph", kind);
        _json.WriteNumber("pid", 0);
        _json.WriteNumber("tid", thread);
    }

    private void End()
    {
        _json.WriteEndObject();
        _json.WriteEndObject();
    }

    private void Name(string what, int thread, string name)
    {
        Begin(what, "M", thread);
        _json.WriteStartObject("args");
        _json.WriteString("name", name);
        End();
    }
}
