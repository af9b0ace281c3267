using Dovetail.Cli.Reports.Results;
using Dovetail.Core.Patterns;

namespace Dovetail.Cli.Tests.Reports;

/// <summary>
/// A TEST FIXTURE: a result with invented, plausible figures in every field. Nothing here was measured;
/// the mask alone is a real projection, of seeded random weights.
/// </summary>
internal static class ResultFixture
{
    public const string Marker = "TEST FIXTURE: every figure here is invented.";

    public static CodesignResult Full(string pattern = "1:16", int epochs = 6) => new()
    {
        Seed = 7,
        Environment = new EnvironmentInfo(
            "0.1.0", "0123abcd", "Fixture CPU 9000", 2, "AVX-512 (F, BW, VBMI)", "Debian GNU/Linux 12", ".NET 10.0.1",
            "1.31.1", "2.10.0", "dovetail codesign --pattern 1:16 --epochs 6 --seed 7", 262.4, 2310.5),
        Data = new DataInfo("fashion-mnist", "Debian package dataset-fashion-mnist", 55000, 5000, 10000),
        Model = Model(pattern),
        Pattern = pattern,
        Sparsity = 0.9375,
        Training = new TrainingPair(
            new TrainingInfo("dense", epochs, 61.2, false, History(epochs, dense: true)),
            new TrainingInfo("growing", epochs, 66.9, false, History(epochs, dense: false))),
        Accuracy = new AccuracyInfo(0.9187, 0.9093, 0.9093, 0.9178, 0.9081, 0.9081),
        Bytes = new BytesInfo(1_497_213, 1_497_402, 131_264, 384_100, 58_911, 129_536, 1_441_792, 101_376, 33_792),
        Equality =
        [
            new EqualityCheck(
                "Packed ONNX = sparse ONNX in plain ONNX Runtime", "within tolerance", 100_000, 3.8e-6, 1e-4, "logits of the test images"),
            new EqualityCheck(
                "SIMD kernel = scalar reference, fp32", "within tolerance", 1_204_224, 9.5e-7, 1e-5,
                "every packed layer, real activations"),
            new EqualityCheck("SIMD kernel = scalar reference, int8", "equal", 1_204_224, 0, 0, "every packed layer, real activations"),
            new EqualityCheck("Cycle simulator = int8 reference", "equal", 301_056, 0, 0, "accumulators of every packed layer"),
            new EqualityCheck("Closed form = cycle by cycle", "equal", 42, 0, 0, "cycles, reads and writes of every layer"),
            new EqualityCheck("RTL = cycle simulator", "equal", 512, 0, 0, "outputs and cycles of 4 tiles of conv3"),
        ],
        OnnxRuntimeInt8 =
        [
            new OnnxRuntimeInt8Info("dense int8", 8, 1_204_224, 0.0312, 17),
            new OnnxRuntimeInt8Info("sparse int8", 8, 1_204_224, 0.0004, 1),
        ],
        Speed = new SpeedInfo(1, 32, 5.13, 21.4, 4.17, 25,
        [
            new LayerSpeedInfo(
                "conv2", "Conv", 64, 784, 288, pattern, "fp32", "conv-f32-16x7-avx512", 412.1, 61.4, 6.71, 14.7, 408.8, 60.9, 6.71),
            new LayerSpeedInfo("conv3", "Conv", 64, 196, 576, pattern, "fp32", "conv-f32-16x7-avx512", 208.7, 22.9, 9.11, 19.7),
            new LayerSpeedInfo("conv4", "Conv", 128, 49, 576, pattern, "fp32", "conv-f32-16x7-avx512", 121.3, 12.4, 9.78, 18.2),
            new LayerSpeedInfo("fc1", "Gemm", 128, 1, 128, pattern, "fp32", "gemm-f32-1x16-avx512", 1.12, 1.31, 0.855, 1.56),
        ]),
        Accelerator = Accelerator(),
        Rtl = new RtlInfo("equal", null, 4, 1196, 4, 4, "conv3", 32, ["rtl/dovetail_array.sv", "rtl/dovetail_pe.sv", "rtl/testbench.cpp"]),
        Mask = Mask("conv3", 64, 64, 9, pattern),
        Files =
        [
            new OutputFile("dense.onnx", 1_497_213, "dense network, standard operators"),
            new OutputFile("sparse.onnx", 1_497_402, "complementary network, standard operators, zeros inside"),
            new OutputFile("packed.onnx", 131_264, "packed network, operators of ai.dovetail"),
            new OutputFile("packed-int8.onnx", 58_911, "packed int8 network"),
            new OutputFile("packed.safetensors", 129_536, "packed weights alone"),
            new OutputFile("rtl/dovetail_array.sv", 18_212, "SystemVerilog of the array"),
        ],
        Commands =
        [
            new ReproduceCommand("Accuracy", "dovetail run --model packed.onnx --data fashion-mnist"),
            new ReproduceCommand("Speed on this CPU", "dovetail bench packed.onnx --against dense.onnx --threads 1"),
            new ReproduceCommand("Accelerator", "dovetail simulate packed-int8.onnx --rows 16 --cols 16 --pattern 1:16"),
            new ReproduceCommand("RTL", "dovetail rtl packed-int8.onnx --rows 4 --cols 4 --verify"),
        ],
        Notes = [Marker],
    };

    public static CodesignResult RtlSkipped() => Full() with
    {
        Rtl = new RtlInfo(
            "skipped", "Verilator was not found. Install it with: sudo apt-get install verilator", 0, 0, 4, 4, null, 0,
            ["rtl/dovetail_array.sv"]),
    };

    public static CodesignResult Untrained() => Full() with
    {
        Training = new TrainingPair(new TrainingInfo("dense", 0, 0, false, []), new TrainingInfo("growing", 0, 0, false, [])),
    };

    public static CodesignResult Interrupted()
    {
        CodesignResult full = Full();
        TrainingInfo run = full.Training.Complementary;
        return full with
        {
            Training = full.Training with { Complementary = run with { Interrupted = true, History = [.. run.History.Take(1)] } }
        };
    }

    public static CodesignResult OneLayer()
    {
        CodesignResult full = Full();
        return full with
        {
            Model = full.Model with { Layers = [full.Model.Layers[2]] },
            Speed = full.Speed with { Layers = [full.Speed.Layers[1]] },
            Accelerator = full.Accelerator with { Layers = [full.Accelerator.Layers[1]] },
        };
    }

    /// <summary>Every list empty, every figure zero: what a report must survive, whatever it says.</summary>
    public static CodesignResult Bare()
    {
        CodesignResult untrained = Untrained();
        AcceleratorInfo array = untrained.Accelerator;
        return untrained with
        {
            Model = untrained.Model with { Layers = [] },
            Bytes = new BytesInfo(0, 0, 0, 0, 0, 0, 0, 0, 0),
            Accuracy = new AccuracyInfo(0, 0, 0, 0, 0, 0),
            Equality = [],
            OnnxRuntimeInt8 = [],
            Speed = new SpeedInfo(1, 1, 0, 0, 0, 0, []),
            Accelerator = array with
            {
                DenseCycles = 0,
                ComplementaryCycles = 0,
                Speedup = 0,
                ClockMegahertz = 0,
                DenseEnergyPicojoules = 0,
                ComplementaryEnergyPicojoules = 0,
                Layers = []
            },
            Mask = new MaskPicture("", 0, 0, 0, 0, "1:16", ""),
            Files = [],
            Commands = [],
            Notes = [],
        };
    }

    /// <summary>A projection of seeded random weights of a layer [outputs, channels, 3, 3] or [outputs, channels].</summary>
    public static MaskPicture Mask(string layer, int outputs, int channels, int taps, string pattern)
    {
        WeightShape shape = taps == 9 ? new WeightShape([outputs, channels, 3, 3]) : WeightShape.Matrix(outputs, channels);
        var layout = new CellLayout(ComplementaryPattern.Parse(pattern), shape);
        var random = new Random(7);
        int rowBytes = (shape.Inputs + 7) / 8;
        var bits = new byte[shape.Outputs * rowBytes];
        for (int cell = 0; cell < layout.CellCount; cell++)
        {
            int[] candidates = [.. Enumerable.Range(0, layout.CandidateCount(cell))];
            random.Shuffle(candidates);
            foreach (int owner in candidates.Take(layout.UsedSlots(cell)))
            {
                (int row, int rowCount, int column) = layout.Candidate(cell, owner);
                for (int r = row; r < row + rowCount; r++)
                    bits[r * rowBytes + column / 8] |= (byte)(1 << (column % 8));
            }
        }

        return new MaskPicture(layer, shape.Outputs, shape.Inputs, shape.Outputs, shape.Inputs, pattern, Convert.ToBase64String(bits));
    }

    private static ModelInfo Model(string pattern) => new("zoo:fashion-cnn", 360_448, 23_328, 41_234_432, 3_412_992,
    [
        new LayerInfo("conv1", "Conv", "32×1×3×3", 32, 784, 9, null, "1 input channel is fewer than the group, 16", 0, 1152, 1152, 288),
        new LayerInfo("conv2", "Conv", "64×32×3×3", 64, 784, 288, pattern, null, 0.9375, 73_728, 5184, 1728),
        new LayerInfo("conv3", "Conv", "64×64×3×3", 64, 196, 576, pattern, null, 0.9375, 147_456, 10_368, 3456),
        new LayerInfo("conv4", "Conv", "128×64×3×3", 128, 49, 576, pattern, null, 0.9375, 294_912, 20_736, 6912),
        new LayerInfo("fc1", "Gemm", "128×128", 128, 1, 128, pattern, null, 0.9375, 65_536, 4608, 1536),
        new LayerInfo("head", "Gemm", "10×128", 10, 1, 128, null, "measured slower packed (0.6×) than dense", 0, 5120, 5120, 1280),
    ]);

    private static EpochInfo[] History(int epochs, bool dense) =>
    [
        .. Enumerable.Range(1, epochs).Select(epoch =>
        {
            double t = (double)epoch / epochs, grown = dense ? 0 : Math.Clamp((t - 0.05) / 0.35, 0, 1);
            return new EpochInfo(
                epoch, 0.18 + 0.42 / epoch + 0.06 * grown, 0.94 - 0.13 / epoch - 0.012 * grown, 0.922 - 0.09 / epoch - 0.009 * grown,
                dense ? 1 : 0.0625 + 0.9375 * Math.Pow(1 - grown, 3), dense || t > 0.8 ? 0 : 0.34 * Math.Exp(-2.2 * t), 10.2);
        }),
    ];

    private static AcceleratorInfo Accelerator()
    {
        AcceleratorLayerInfo[] layers =
        [
            Layer("conv1", 784, 32, 9, 1),
            Layer("conv2", 784, 64, 288, 16),
            Layer("conv3", 196, 64, 576, 16),
            Layer("conv4", 49, 128, 576, 16),
            Layer("fc1", 1, 128, 128, 16),
            Layer("head", 1, 10, 128, 1),
        ];
        long dense = layers.Sum(layer => layer.Dense.Cycles), packed = layers.Sum(layer => layer.Complementary.Cycles);
        return new AcceleratorInfo(
            16, 16, "ws", 4, 500, dense, packed, (double)dense / packed, 0.712, 0.893,
            layers.Sum(layer => layer.Dense.EnergyPicojoules), layers.Sum(layer => layer.Complementary.EnergyPicojoules),
            1.53, (double)dense / packed / 1.53,
            "per-PE overhead of a registered 16:1 selector in 1×4 clusters, synthesised to an open 0.18 µm library (docs/accelerator.md)",
            "Horowitz, ISSCC 2014, 45 nm: int8 multiply 0.2 pJ, int32 add 0.1 pJ, 8 KiB SRAM read 1.25 pJ a byte, DRAM 160 pJ a byte",
            layers);
    }

    // Cycles as folds × (fill + stream); figures in the right range, not the simulator's.
    private static AcceleratorLayerInfo Layer(string name, int m, int n, int k, int group)
    {
        AcceleratorCounts Counts(int depth, double utilization)
        {
            long folds = (long)Math.Ceiling(depth / 16.0) * (long)Math.Ceiling(n / 16.0), cycles = folds * (m + 46);
            return new AcceleratorCounts(
                cycles, utilization, folds * m * 16, folds * 256, folds * m * 16, (long)depth * n + m * n,
                cycles * 47.0 + depth * n * 90.0);
        }

        return new AcceleratorLayerInfo(name, m, n, k, Counts(k, m / (m + 46.0)), Counts(Math.Max(9, k / group), 0.9 * m / (m + 46.0)));
    }
}
