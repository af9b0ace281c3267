using Dovetail.Core.Operators;

namespace Dovetail.Core.Tests.Operators;

/// <summary>The schema is what docs/operators.md says, and is sound.</summary>
public sealed class OperatorSetTests
{
    private static readonly string[] s_page = File.ReadAllLines(Path.Combine(Repository.Root, "docs", "operators.md"));

    [Fact]
    public void The_page_lists_the_operators_of_the_schema_in_order()
    {
        string[] expected = [.. OperatorSet.All.Select(schema =>
            $"| `{schema.Name}` | {schema.SinceVersion} | {string.Join(", ", schema.Inputs.Select(Input))} | {Type(schema.OutputType)} "
            + $"{schema.OutputShape} | {string.Join(", ", schema.Attributes.Select(Attribute))} |")];
        Assert.Equal(expected, Table("| operator |"));
        Assert.Equal($"# Operators of the domain `{OperatorSet.Domain}`, version {OperatorSet.Version}", s_page[0]);

        static string Input(OperatorInput input) =>
            $"`{input.Name}`{(input.IsOptional ? "?" : "")} {string.Join(" or ", input.Types.Select(Type))} {input.Shape}";

        static string Attribute(OperatorAttribute attribute) =>
            attribute == OperatorAttributes.IntegerActivation
                ? $"`{attribute.Name}` ({string.Join(", ", OperatorAttributes.IntegerActivation.Values)})"
                : $"`{attribute.Name}`";
    }

    [Fact]
    public void The_page_lists_the_attributes_of_the_schema()
    {
        IEnumerable<string> expected = OperatorSet.All.SelectMany(schema => schema.Attributes)
            .Where(attribute => attribute != OperatorAttributes.IntegerActivation)
            .Distinct().Select(attribute => $"| `{attribute.Name}` | {attribute.TypeText} | {attribute.DefaultText} |");
        Assert.Equal(expected.Order(StringComparer.Ordinal), Table("| attribute |").Select(row => row[..(NthIndexOf(row, '|', 4) + 1)])
            .Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Names_are_unique_and_optional_inputs_stand_last()
    {
        Assert.Equal(OperatorSet.All.Length, OperatorSet.All.Select(schema => schema.Name).Distinct().Count());
        foreach (OperatorSchema schema in OperatorSet.All)
        {
            Assert.Same(schema, OperatorSet.Find(schema.Name));
            Assert.InRange(schema.SinceVersion, 1, OperatorSet.Version);
            Assert.Equal(InputNames.X, schema.Inputs[0].Name);
            Assert.Equal(schema.Inputs.Length, schema.Inputs.Select(input => input.Name).Distinct().Count());
            Assert.DoesNotContain(schema.Inputs.SkipWhile(input => !input.IsOptional), input => !input.IsOptional);
            Assert.Equal(schema.Attributes.Length, schema.Attributes.Select(attribute => attribute.Name).Distinct().Count());
        }
    }

    [Theory]
    [InlineData(true, false, "PackedConv")]
    [InlineData(false, false, "PackedGemm")]
    [InlineData(true, true, "PackedQLinearConv")]
    [InlineData(false, true, "PackedQLinearGemm")]
    public void A_packed_operator_is_what_it_is_asked_for_as(bool convolution, bool quantized, string name)
    {
        OperatorSchema schema = OperatorSet.Packed(convolution, quantized);
        Assert.Equal(name, schema.Name);
        Assert.Equal((true, convolution, quantized), (schema.IsPacked, schema.IsConvolution, schema.IsQuantized));
    }

    [Fact]
    public void Windows_are_not_packed() =>
        Assert.All(OperatorSet.All[4..], schema =>
            Assert.Equal((false, false, false), (schema.IsPacked, schema.IsConvolution, schema.IsQuantized)));

    [Fact]
    public void Inputs_are_found_by_name()
    {
        Assert.Equal(4, OperatorSet.PackedConv.InputIndex("R"));
        Assert.Equal(8, OperatorSet.PackedQLinearGemm.InputIndex("B"));
        Assert.Null(OperatorSet.PackedQLinearGemm.FindInput("R"));
        Assert.Throws<ArgumentException>(() => OperatorSet.MaxPool.InputIndex("W"));
        Assert.Equal(
            (3, 8, 1, 2),
            (OperatorSet.PackedConv.RequiredInputs, OperatorSet.PackedQLinearConv.RequiredInputs, OperatorSet.MaxPool.RequiredInputs,
            OperatorSet.DepthwiseConv.RequiredInputs));
    }

    [Fact]
    public void Attributes_say_what_is_wrong_with_a_value()
    {
        Assert.Equal("is 'tanh', expected 'none', 'relu' or 'clip'", OperatorAttributes.IntegerActivation.Fault("tanh"));
        Assert.Null(OperatorAttributes.Activation.Fault("gelu"));
        Assert.Null(OperatorAttributes.Pattern.Fault("whatever"));
        Assert.Equal("is [1, 0], expected 2 integers of 1 or more", OperatorAttributes.Strides.Fault([1, 0]));
        Assert.Equal("is [1], expected 2 integers of 1 or more", OperatorAttributes.Strides.Fault([1]));
        Assert.Equal("is [4294967296, 4], expected integers of 1 or more, in 32 bits", OperatorAttributes.WeightShape.Fault([1L << 32, 4]));
        Assert.Null(OperatorAttributes.Pads.Fault([0, 1, 2, 3]));
        Assert.Equal("is 0, expected an integer of 1 or more", OperatorAttributes.Group.Fault(0));
        Assert.Equal("is 2147483648, expected an integer of 1 or more, in 32 bits", OperatorAttributes.Group.Fault(1L << 31));
    }

    private static string Type(ElementType type) => type.ToString().ToLowerInvariant();

    // The rows below a header that starts so.
    private static string[] Table(string header) =>
        [.. s_page.SkipWhile(line => !line.StartsWith(header, StringComparison.Ordinal)).Skip(2).TakeWhile(line => line.StartsWith('|'))];

    private static int NthIndexOf(string text, char sought, int n)
    {
        int at = -1;
        while (n-- > 0)
            at = text.IndexOf(sought, at + 1);
        return at;
    }
}
