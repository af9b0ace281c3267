using Dovetail.Onnx.Operators;
using Dovetail.Training.Graph;

namespace Dovetail.Training.Tests.Graph;

public sealed class GraphOperatorsTests
{
    [Fact]
    public void The_page_of_operators_says_which_can_be_trained()
    {
        HashSet<string> trained = [.. GraphOperators.Supported];
        OperatorTable.Check(["operator", "train"], OnnxOperators.All.Where(row => row.Domain.Length == 0)
            .ToDictionary(row => row.Name, row => new[] { row.Name, trained.Contains(row.Name) ? "yes" : OperatorTable.Missing }));
    }
}
