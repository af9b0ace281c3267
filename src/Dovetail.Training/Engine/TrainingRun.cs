using System.Diagnostics;
using System.Security.Cryptography;
using Dovetail.Core.Patterns;
using Dovetail.Data;
using Dovetail.Onnx.Layers;
using Dovetail.Onnx.Model;
using Dovetail.Onnx.Shapes;
using Dovetail.Training.Graph;
using Dovetail.Training.Graph.Operators;
using Dovetail.Training.Optimization;
using Dovetail.Training.Sparsity;
using TorchSharp;
using static TorchSharp.torch;

namespace Dovetail.Training.Engine;

/// <summary>
/// One training.
/// 1. A part of the training images, drawn by the seed, is held out for validation.
/// 2. Each epoch runs through the others in an order of its own, in whole batches; each step has its own dispose scope.
/// 3. Before a step the masks are brought up to date; after it the shadow has moved and W = S·mask.
/// 4. At an epoch's end the network is validated on the pattern's own masks, and the checkpoint is written.
/// 5. At the end, or when cancelled, W = S·owners goes into the model. Cut short while the masks were still growing,
///    batch norm has statistics of another network, so they are taken anew first.
/// 6. The model declares the patterns: those of the layers under masks, and what it declared of weights that stayed.
/// </summary>
internal sealed class TrainingRun : IDisposable
{
    private const int ReportInterval = 10, StatisticsBatches = 40;

    private readonly OnnxModel _model;
    private readonly ImageDataset _data;
    private readonly TrainingOptions _options;
    private readonly ForwardMode _mode;
    private readonly TrainableGraph _graph;
    private readonly ImageTensors _train;
    private readonly int[] _trainIndices, _validationIndices;
    private readonly int _stepsPerEpoch, _steps;
    private readonly Dictionary<string, ComplementaryPattern> _patterns;
    private readonly Sparsifier _sparsifier;
    private readonly NesterovSgd _optimizer;
    private readonly LearningRateSchedule _rate;
    private readonly List<EpochRecord> _history = [];

    private int _step;
    private (int Epoch, int[]? Indices) _order;
    private readonly string _startDigest;
    private double _lossSum, _epochSeconds;
    private long _correct, _seen;

    public TrainingRun(OnnxModel model, ImageDataset data, TrainingOptions options)
    {
        (_data, _options) = (data, options);
        _startDigest = Digest(model, data.Train);
        _model = model.Clone();
        _model.NameNodes();
        CheckImages(_model, data);
        int validation = options.ValidationCount(data.Train.Count);
        int training = data.Train.Count - validation;
        if (validation < 1 || training < options.BatchSize)
            throw new TrainingException($"Of {data.Train.Count} training images {validation} are held out for validation; the {training} "
                + $"left must fill a batch of {options.BatchSize}, and one must be held out.");
        int[] order = SplitMix64.For(options.Seed, Purpose.ValidationSplit, 0).Permutation(data.Train.Count);
        (_validationIndices, _trainIndices) = (order[..validation], order[validation..]);
        _stepsPerEpoch = training / options.BatchSize;
        _steps = checked(_stepsPerEpoch * options.Epochs);

        set_num_threads(options.Threads ?? Environment.ProcessorCount);
        _mode = new ForwardMode(IsTraining: true, BFloat16Support.IsUsed(options));
        _graph = new TrainableGraph(_model, options.TrainedTensors, options.FrozenTensors);
        _sparsifier = new Sparsifier(_model, _graph, options, _steps);
        _patterns = StillDeclared().Concat(_sparsifier.Patterns).ToDictionary();
        _optimizer = new NesterovSgd(_graph, _sparsifier.Weights, options);
        _rate = new LearningRateSchedule(options.LearningRate, options.WarmUp, _steps);
        _train = new ImageTensors(data.Train, data);
        CheckOutput();
    }

    /// <summary>Before Torch is asked: an operator of its own that does not fit ends the process.</summary>
    private static void CheckImages(OnnxModel model, ImageDataset data)
    {
        if (model.Inputs is not [var input])
            throw new TrainingException($"The model has {model.Inputs.Count} inputs, expected one: images.");
        TensorInfo info = ShapeInference.Infer(model)[input.Name];
        int[] image = [data.Channels, data.Height, data.Width];
        bool fits = info.HasShape && info.Rank == 4 && info.Type == OnnxType.Float
            && info.Shape.Skip(1).Zip(image, (expected, found) => !expected.IsKnown || expected.Value == found).All(equal => equal);
        if (!fits)
            throw new TrainingException(
                $"The model's input '{input.Name}' is {info}, and the images of {data.Name} are float[N, {string.Join(", ", image)}]. Give "
                + "images of that size, or a model for these.");
    }

    public TrainingResult Execute(IProgress<TrainingProgress>? progress, CancellationToken cancellation)
    {
        if (_options.Resume && File.Exists(_options.CheckpointPath))
            Restore();
        var clock = Stopwatch.StartNew();
        int firstStep = _step;
        while (_step < _steps && !cancellation.IsCancellationRequested)
        {
            RunStep();
            EpochRecord? completed = _step % _stepsPerEpoch == 0 ? CompleteEpoch() : null;
            if (completed is not null && _step < _steps)
                SaveCheckpoint();
            if (completed is not null || _step % ReportInterval == 0)
                progress?.Report(Progress(completed, _step - firstStep, clock.Elapsed));
        }

        SaveCheckpoint();
        return Finish(clock);
    }

    public void Dispose()
    {
        _train.Dispose();
        _optimizer.Dispose();
        _sparsifier.Dispose();
        _graph.Dispose();
    }

    private void RunStep()
    {
        long start = Stopwatch.GetTimestamp();
        using DisposeScope scope = NewDisposeScope();
        if (_sparsifier.BeforeStep(_step))
            _optimizer.CutFrozen();
        (Tensor x, Tensor labels) = Batch(_step);
        random.manual_seed((long)(SplitMix64.For(_options.Seed, Purpose.TorchGenerator, _step).Next() >> 1)); // dropout
        Tensor logits = _graph.Forward(x, _mode);
        Tensor loss = nn.functional.cross_entropy(logits, labels);
        loss.backward();
        _optimizer.Step(_rate.At(_step));

        double value = loss.item<float>();
        if (!double.IsFinite(value))
            throw new TrainingException($"The loss became {value} at step {_step} of {_steps}: the training diverged. Lower the learning "
                + $"rate ({_options.LearningRate}) or lengthen the warm-up ({_options.WarmUp}).");
        int count = (int)labels.shape[0];
        _lossSum += value * count;
        _correct += logits.argmax(1).eq(labels).sum().item<long>();
        _seen += count;
        _step++;
        _epochSeconds += Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    private (Tensor Images, Tensor Labels) Batch(int step)
    {
        (int epoch, int inEpoch) = Math.DivRem(step, _stepsPerEpoch);
        if (_order.Epoch != epoch || _order.Indices is null)
            _order = (epoch, Array.ConvertAll(
                SplitMix64.For(_options.Seed, Purpose.Shuffle, epoch).Permutation(_trainIndices.Length), i => _trainIndices[i]));
        (Tensor x, Tensor labels) = _train.Batch(_order.Indices.AsSpan(inEpoch * _options.BatchSize, _options.BatchSize));
        return _options.Augmentation == Augmentation.Flip
            ? (ImageTensors.Flip(x, SplitMix64.For(_options.Seed, Purpose.Augmentation, step)), labels)
            : (x, labels);
    }

    private EpochRecord CompleteEpoch()
    {
        _sparsifier.ApplyExactly();
        double validation = Evaluation.Accuracy(_graph, _train, _validationIndices);
        _sparsifier.Apply();
        var record = new EpochRecord(
            _history.Count + 1, _lossSum / _seen, (double)_correct / _seen, validation, _epochSeconds, _sparsifier.Density,
            _sparsifier.Turnover());
        _history.Add(record);
        (_lossSum, _correct, _seen, _epochSeconds) = (0, 0, 0, 0);
        return record;
    }

    private TrainingProgress Progress(EpochRecord? completed, int stepsHere, TimeSpan elapsed)
    {
        double perStep = elapsed.TotalSeconds / stepsHere;
        (double loss, double accuracy) = completed is not null
            ? (completed.Loss, completed.TrainAccuracy)
            : (_lossSum / _seen, (double)_correct / _seen);
        return new TrainingProgress(
            Epoch: (_step - 1) / _stepsPerEpoch + 1, _options.Epochs, _step, _steps, loss, accuracy, _sparsifier.Density,
            _options.BatchSize / perStep, TimeSpan.FromSeconds(perStep * (_steps - _step)), completed);
    }

    private TrainingResult Finish(Stopwatch clock)
    {
        bool stale = _sparsifier.IsGrowing;
        _sparsifier.ApplyExactly();
        if (stale)
            RefreshStatistics();
        double validation = Evaluation.Accuracy(_graph, _train, _validationIndices);
        bool isComplete = _step == _steps;
        OnnxModel trained = _model.Clone();
        _graph.WriteTo(trained);
        if (_patterns.Count > 0)
            LayerPatterns.Declare(trained, _patterns);
        else
            LayerPatterns.Withdraw(trained);
        return new TrainingResult(
            trained, _graph.Tensors,
            [.. _sparsifier.Weights.Select(w => new LayerMask(w.LayerName, w.WeightName, w.Layout, w.MatrixOwners()))],
            [.. _history], validation, _options.Test && isComplete ? TestAccuracy() : null, isComplete, _step, clock.Elapsed.TotalSeconds);
    }

    private double TestAccuracy()
    {
        using var test = new ImageTensors(_data.Test, _data);
        return Evaluation.Accuracy(_graph, test, [.. Enumerable.Range(0, test.Count)]);
    }

    // What the model declares holds for weights that stay; learned ones without a mask lose their zeros.
    private Dictionary<string, ComplementaryPattern> StillDeclared()
    {
        if (LayerPatterns.Find(_model) is not { } declared)
            return [];
        return WeightLayers.Find(_model)
            .Where(layer => declared.ContainsKey(layer.Name) && !_graph.Parameters.ContainsKey(layer.WeightName))
            .ToDictionary(layer => layer.Name, layer => declared[layer.Name]);
    }

    // Batch norm's running statistics belong to the masks that they were gathered under.
    private void RefreshStatistics()
    {
        using IDisposable noGradient = no_grad();
        int batches = Math.Min(StatisticsBatches, _stepsPerEpoch);
        for (int i = 0; i < batches; i++)
        {
            using DisposeScope scope = NewDisposeScope();
            _graph.Forward(_train.Batch(_trainIndices.AsSpan(i * _options.BatchSize, _options.BatchSize)).Images, _mode);
        }
    }

    /// <summary>What a training starts from: a checkpoint of another network or of other images is refused by it.</summary>
    private static string Digest(OnnxModel model, ImageSet images)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(model.ToBytes());
        hash.AppendData(images.Pixels);
        hash.AppendData(images.Labels);
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private void SaveCheckpoint()
    {
        if (_options.CheckpointPath is null)
            return;
        var state = new TrainingCheckpoint.State(_step, _lossSum, _correct, _seen, _epochSeconds, _sparsifier.IsFrozen, [.. _history]);
        TrainingCheckpoint.Write(_options.CheckpointPath, state, _options, _data, _startDigest, _graph, _sparsifier, _optimizer);
    }

    private void Restore()
    {
        TrainingCheckpoint.State state = TrainingCheckpoint.Read(
            _options.CheckpointPath!, _options, _data, _startDigest, _graph, _sparsifier, _optimizer, _stepsPerEpoch);
        (_step, _lossSum, _correct, _seen, _epochSeconds) = (state.Step, state.LossSum, state.Correct, state.Seen, state.Seconds);
        _history.AddRange(state.History);
    }

    // One image through the network, so that a model of another input or output is refused before training.
    private void CheckOutput()
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGradient = no_grad();
        long[] shape = _graph.Forward(_train.Batch(_trainIndices.AsSpan(0, 1)).Images, ForwardMode.Evaluation).shape;
        if (shape.Length != 2 || shape[0] != 1 || shape[1] < _data.Classes)
            throw new GraphException($"The model gives [{string.Join(", ", shape)}] for one image of {_data.Name}, expected [1, "
                + $"{_data.Classes}]: a logit for each class.");
    }
}
