using Dovetail.Cli;

return await CommandLine.RunAsync(args);
