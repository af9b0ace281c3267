using Dovetail.Onnx.Model;
using Dovetail.Onnx.Zoo;

namespace Dovetail.Onnx.Tests.Zoo;

public sealed class ZooModelTests
{
    public static TheoryData<string> Names => [.. ZooModels.Names.Select(n => n.Name)];

    [Theory, MemberData(nameof(Names))]
    public void Each_network_runs_in_ONNX_Runtime_at_any_batch(string name)
    {
        OnnxModel model = ZooModels.Create(name, 1);
        foreach (int batch in new[] { 1, 3 })
        {
            (float[] logits, int[] shape) = Oracle.Run(model, Oracle.Images(2, batch), [batch, 1, 28, 28])["logits"];
            Assert.Equal([batch, 10], shape);
            Assert.All(logits, v => Assert.True(float.IsFinite(v)));
            Assert.True(logits.Distinct().Count() > 5);
        }
    }

    [Theory, MemberData(nameof(Names))]
    public void Equal_seeds_give_equal_weights_and_others_do_not(string name)
    {
        byte[] one = ZooModels.Create(name, 1).ToBytes();
        Assert.Equal(one, ZooModels.Create("zoo:" + name, 1).ToBytes());
        Assert.NotEqual(one, ZooModels.Create(name, 2).ToBytes());
    }

    [Fact]
    public void Weights_have_the_variance_of_He()
    {
        float[] weights = ZooModels.Create("mlp", 7).FindInitializer("fc1.weight")!.ToFloats();
        Assert.Equal(2.0 / 784, weights.Average(w => (double)w * w), 2.0 / 784 * 0.02);
        Assert.Equal(0, weights.Average(), 0.001);
    }

    [Fact]
    public void An_unknown_network_is_answered_with_the_list()
    {
        OnnxException error = Assert.Throws<OnnxException>(() => ZooModels.Create("zoo:resnet-1000", 1));
        Assert.Contains("fashion-cnn, mlp", error.Message);
    }
}
