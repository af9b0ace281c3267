using Dovetail.Cli.Commands;

return await CommandLine.RunAsync(args);
