namespace Dovetail.Cli.Terminal;

/// <summary>The user pressed Ctrl-C; the message says what was saved and how to go on.</summary>
public sealed class InterruptedException(string message) : OperationCanceledException(message);
