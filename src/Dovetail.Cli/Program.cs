using Dovetail.Cli;
using Dovetail.Cli.Terminal;

GuardedStream.Install();
int code = await CommandLine.RunAsync(args);
return code == 0 && GuardedStream.HasFailed ? CommandLine.Failed : code;
