namespace Dovetail.Training;

/// <summary>What happens to training images on their way into a batch.</summary>
public enum Augmentation
{
    None,

    /// <summary>Each image is mirrored left to right with probability ½.</summary>
    Flip,
}
