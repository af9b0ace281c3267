using System.Text.Json;
using Dovetail.Core;
using Dovetail.Core.Files;

namespace Dovetail.Benchmarking.Costs;

/// <summary>Calibrations of one user, a JSON file each. What cannot be read or does not fit is as good as absent; <c>note </c> hears
/// why.</summary>
/// <param name="folder">Null: nothing is kept.</param>
/// <param name="note">Takes a sentence for the user.</param>
public sealed class CalibrationCache(string? folder, Action<string> note)
{
    private static readonly JsonSerializerOptions s_options = new() { WriteIndented = true };

    /// <summary>The folder in the user's cache.</summary>
    public static string? DefaultFolder => UserCache.Root is { } root ? Path.Combine(root, "calibration") : null;

    public CostCalibration? Find(CalibrationKey key)
    {
        ArgumentNullException.ThrowIfNull(key);
        if (folder is null || Path.Combine(folder, key.ToFileName()) is var path && !File.Exists(path))
            return null;
        try
        {
            CostCalibration? found = JsonSerializer.Deserialize<CostCalibration>(File.ReadAllBytes(path), s_options);
            if (found?.Key == key && found is { Dense: { } dense, Packed: { } packed, Transpose: { } transpose } && dense.IsSound()
                && packed.IsSound() && transpose.IsSound())
                return found;
            note($"The calibration in '{path}' is not what its name says; measuring anew.");
        }
        catch (Exception error) when (error is JsonException or IOException or UnauthorizedAccessException or NotSupportedException)
        {
            note($"The calibration in '{path}' cannot be read ({error.Message.TrimEnd('.')}); measuring anew.");
        }

        return null;
    }

    /// <summary>A cache that cannot be written costs time at the next run, and nothing else.</summary>
    public void Keep(CostCalibration calibration)
    {
        ArgumentNullException.ThrowIfNull(calibration);
        if (folder is null)
            return;
        try
        {
            Directory.CreateDirectory(folder);
            AtomicFile.WriteAllText(Path.Combine(folder, calibration.Key.ToFileName()), JsonSerializer.Serialize(calibration, s_options));
        }
        catch (Exception error) when (error is DovetailException or IOException or UnauthorizedAccessException)
        {
            note($"The calibration is not kept: {error.Message.TrimEnd('.')}.");
        }
    }
}
