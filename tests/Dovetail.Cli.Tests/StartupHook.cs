using System.Diagnostics.CodeAnalysis;
using Dovetail.Cli.Tests.Terminal;

/// <summary>
/// The runtime calls this before Main of a process started with DOTNET_STARTUP_HOOKS: it writes the names of the
/// assemblies that the process had loaded when it ended; or it appends rows to a table, or is a credential provider of
/// NuGet's where NuGet started it as one, and ends the process.
/// </summary>
[SuppressMessage("Design", "CA1050", Justification = "The runtime looks for this name outside of any namespace.")]
internal static class StartupHook
{
    public const string TargetVariable = "DOVETAIL_TEST_LOADED_ASSEMBLIES";
    public const string TableVariable = "DOVETAIL_TEST_TABLE", RowsVariable = "DOVETAIL_TEST_ROWS";

    public static void Initialize()
    {
        if (Environment.GetCommandLineArgs() is [_, "-Plugin"])
        {
            CredentialProvider.RunAsync().Wait();
            Environment.Exit(0);
        }

        if (Environment.GetEnvironmentVariable(TableVariable) is { } table)
            Append(table, Environment.GetEnvironmentVariable(RowsVariable)!.Split(';'));
        if (Environment.GetEnvironmentVariable(TargetVariable) is { } path)
            AppDomain.CurrentDomain.ProcessExit += (_, _) => File.WriteAllLines(
                path, AppDomain.CurrentDomain.GetAssemblies().Select(assembly => assembly.GetName().Name!));
    }

    private static void Append(string table, string[] rows)
    {
        foreach (string row in rows)
            Dovetail.Core.Files.AppendedTable.Append(table, "process,row", row);
        Environment.Exit(0);
    }
}
