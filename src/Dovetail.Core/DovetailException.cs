namespace Dovetail.Core;

/// <summary>
/// Bad input of any kind: the message says what was found, what was expected and what to do.
/// The CLI prints it as one line and exits with a non-zero code; anything else is a bug.
/// </summary>
public class DovetailException : Exception
{
    public DovetailException(string message) : base(message) { }

    public DovetailException(string message, Exception innerException) : base(message, innerException) { }
}
