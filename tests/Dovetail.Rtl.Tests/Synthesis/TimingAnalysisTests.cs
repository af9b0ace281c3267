using Dovetail.Rtl.Synthesis;

namespace Dovetail.Rtl.Tests.Synthesis;

/// <summary>Static timing on a library and a netlist small enough to add up by hand.</summary>
public sealed class TimingAnalysisTests : IDisposable
{
    private const string Library = """
        /* delays in ns: load first, then slew */
        library(tiny) {
          cell (INV) {
            area : 2;
            pin(A) { direction : input; capacitance : 0.1; }
            pin(Y) { direction : output; function : "(!A)";
              timing() {
                related_pin : "A"; timing_sense : negative_unate;
                cell_rise(t) { index_1 ("0, 1"); index_2 ("0, 1"); values ("1, 2", "3, 4"); }
                cell_fall(t) { index_1 ("0, 1"); index_2 ("0, 1"); values ( \
                  "0.5, 1.5", \
                  "2.5, 3.5"); }
                rise_transition(t) { index_1 ("0, 1"); index_2 ("0, 1"); values ("0, 0", "1, 1"); }
                fall_transition(t) { index_1 ("0, 1"); index_2 ("0, 1"); values ("0, 0", "1, 1"); }
              }
            }
          }
          cell (DFF) {
            area : 7;
            ff (IQ, IQN) { next_state : "D"; clocked_on : "CLK"; }
            pin(CLK) { direction : input; capacitance : 0.2; clock : true; }
            pin(D) { direction : input; capacitance : 0.3;
              timing() { related_pin : "CLK"; timing_type : setup_rising;
                rise_constraint(s) { index_1 ("0, 1"); index_2 ("0, 1"); values ("0.25, 0.25", "0.25, 0.25"); }
                fall_constraint(s) { index_1 ("0, 1"); index_2 ("0, 1"); values ("0.25, 0.25", "0.25, 0.25"); }
              }
            }
            pin(Q) { direction : output;
              timing() { related_pin : "CLK"; timing_type : rising_edge;
                cell_rise(t) { index_1 ("0, 1"); index_2 ("0, 1"); values ("0.5, 0.5", "0.5, 0.5"); }
                cell_fall(t) { index_1 ("0, 1"); index_2 ("0, 1"); values ("0.5, 0.5", "0.5, 0.5"); }
                rise_transition(t) { index_1 ("0, 1"); index_2 ("0, 1"); values ("0, 0", "0, 0"); }
                fall_transition(t) { index_1 ("0, 1"); index_2 ("0, 1"); values ("0, 0", "0, 0"); }
              }
            }
          }
        }
        """;

    // DFF a -> INV b -> INV c -> DFF d
    private const string Netlist = """
        {"modules": {"top": {"ports": {"clk": {"direction": "input", "bits": [2]}, "d": {"direction": "input", "bits": [3]}},
          "cells": {
            "a": {"type": "DFF", "connections": {"CLK": [2], "D": [3], "Q": [4]}},
            "b": {"type": "INV", "connections": {"A": [4], "Y": [5]}},
            "c": {"type": "INV", "connections": {"A": [5], "Y": [6]}},
            "d": {"type": "DFF", "connections": {"CLK": [2], "D": [6], "Q": [7]}}
          }}}}
        """;

    private readonly string _folder = Directory.CreateTempSubdirectory("dovetail-timing-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Path_adds_up_by_hand()
    {
        CellLibrary library = CellLibrary.Load(Write("tiny.lib", Library));
        MappedNetlist netlist = MappedNetlist.Load(Write("flat.json", Netlist));

        (double nanoseconds, IReadOnlyList<string> path) = TimingAnalysis.LongestPath(netlist.Find("top"), library);

        // b: load 0.1, slew 0: rise 1 + 2*0.1 = 1.2, slew 0.1. c falls after it: load 0.3: 0.5 + 2*0.3 + 0.1 = 1.2.
        // b falls: 0.5 + 0.2 = 0.7; c rises after it: 1 + 0.6 + 0.1 = 1.7. Both sum to 2.4; with 0.5 and setup 0.25: 3.15.
        Assert.Equal(3.15, nanoseconds, 9);
        Assert.Equal(["a (DFF)", "b (INV)", "c (INV)"], path.Select(step => step[(step.IndexOf(' ', StringComparison.Ordinal) + 1)..]));
        Assert.Equal(18, netlist.Area(netlist.Find("top"), library));
    }

    /// <summary>A constant never switches, so no path goes through what it drives alone.</summary>
    [Fact]
    public void Constants_have_no_path()
    {
        CellLibrary library = CellLibrary.Load(Write("tiny.lib", Library));
        MappedNetlist netlist = MappedNetlist.Load(
            Write("tied.json", Netlist.Replace("\"A\": [4]", "\"A\": [\"0\"]", StringComparison.Ordinal)));
        (double nanoseconds, IReadOnlyList<string> path) = TimingAnalysis.LongestPath(netlist.Find("top"), library);
        Assert.Equal(0.25, nanoseconds, 9); // from the input to the setup of a
        Assert.Single(path);
    }

    [Fact]
    public void Loop_is_refused()
    {
        CellLibrary library = CellLibrary.Load(Write("tiny.lib", Library));
        MappedNetlist netlist = MappedNetlist.Load(
            Write("loop.json", Netlist.Replace("\"A\": [4]", "\"A\": [6]", StringComparison.Ordinal)));
        Assert.Contains(
            "loop", Assert.Throws<RtlException>(() => TimingAnalysis.LongestPath(netlist.Find("top"), library)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void File_that_is_not_liberty_says_where()
    {
        Assert.Contains(
            "line 2", Assert.Throws<RtlException>(() => CellLibrary.Load(Write("bad.lib", "library(x) {\n  cell (A { }"))).Message,
            StringComparison.Ordinal);
        Assert.Contains(
            "library", Assert.Throws<RtlException>(() => CellLibrary.Load(Write("other.lib", "cell (A) { }"))).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Unmapped_cell_is_named()
    {
        CellLibrary library = CellLibrary.Load(Write("tiny.lib", Library));
        MappedNetlist netlist = MappedNetlist.Load(Write("odd.json", Netlist.Replace("\"INV\"", "\"$_NOT_\"", StringComparison.Ordinal)));
        Assert.Contains(
            "$_NOT_", Assert.Throws<RtlException>(() => netlist.Area(netlist.Find("top"), library)).Message, StringComparison.Ordinal);
    }

    private string Write(string name, string text)
    {
        string path = Path.Combine(_folder, name);
        File.WriteAllText(path, text);
        return path;
    }
}
